local list = {}
for i = 0, 499999 do list[#list + 1] = i end
local sum = 0
for _, i in ipairs(list) do sum = sum + i end
print(sum)
