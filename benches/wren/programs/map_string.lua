local firsts = {"red", "green", "blue", "black", "white", "grey", "brown", "pink", "gold", "silver"}
local seconds = {"cat", "dog", "fox", "owl", "bear", "crow", "deer", "goat", "hare", "lynx", "mole", "newt"}
local names = {}
for _, first in ipairs(firsts) do
  for _, second in ipairs(seconds) do
    for _, size in ipairs({"small", "large", "huge"}) do
      names[#names + 1] = first .. " " .. size .. " " .. second
    end
  end
end
local seen = {}
local number = 0
for _, name in ipairs(names) do
  seen[name] = number
  number = number + 1
end
local sum = 0
for round = 1, 300 do
  for _, name in ipairs(names) do sum = sum + seen[name] end
end
for _, name in ipairs(names) do seen[name] = nil end
local count = 0
for _ in pairs(seen) do count = count + 1 end
print(sum)
print(count)
