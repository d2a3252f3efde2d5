// 8 output channels outermost: their weights are loaded once, x four times.
module attributes {accel.schedules = [
  {members = ["conv"],
   schedule = #accel.schedule<version = 1, anchor = 0,
     loops = [<3 : 8>, <2 : 32>, <1 : 2>],
     inputs = [<level = 3, rolling = true>, <level = 1>],
     members = [<rolling = false, level = 3, depth = 1, inplace = -1>]>}
]} {}
