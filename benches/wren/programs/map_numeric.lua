local map = {}
for i = 1, 200000 do map[i + 0.0] = i * 2 end
local sum = 0
for i = 1, 200000 do sum = sum + map[i + 0.0] end
local count = 200000
for i = 1, 200000 do
  if i % 3 ~= 0 then map[i + 0.0] = nil count = count - 1 end
end
print(sum)
print(count)
