-- Call and await, one after another.
function serial(call, count)
  for i = 0, count - 1 do
    if call(i, 1) ~= i + 1 then error("wrong") end
  end
end

function sleeper(milliseconds)
  sleep(milliseconds)
end
