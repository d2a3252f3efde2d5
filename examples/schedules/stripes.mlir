// Group loops: strips of 16 columns, 4 rows at a time. Weights are loaded inside.
module attributes {accel.schedules = [
  {members = ["conv"],
   schedule = #accel.schedule<version = 1, anchor = 0,
     loops = [<2 : 16>, <1 : 4>],
     inputs = [<level = 2>, <level = 3>],
     members = [<loops = [<3 : 8>], rolling = false, level = 3, depth = 1, inplace = -1>]>}
]} {}
