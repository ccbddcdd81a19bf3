local text = "a string of some length"
local same = "a string of some " .. "length"
local count = 0
for i = 1, 150000 do
  if text == same then count = count + 1 end
  if text == "a string of some lengty" then count = count + 1 end
  if text == "another one" then count = count + 1 end
  if "" == "abc" then count = count + 1 end
  if "abcd" == "abcd" then count = count + 1 end
  if text ~= 7 then count = count + 1 end
end
print(count)
