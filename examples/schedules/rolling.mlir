// As stripes.mlir, but rows of x that are there stay: each iteration loads 4 new ones.
module attributes {accel.schedules = [
  {members = ["conv"],
   schedule = #accel.schedule<version = 1, anchor = 0,
     loops = [<2 : 16>, <1 : 4>],
     inputs = [<level = 2, rolling = true>, <level = 3>],
     members = [<loops = [<3 : 8>], rolling = false, level = 3, depth = 1, inplace = -1>]>}
]} {}
