// The convolution's own loops: blocks of 8 channels, rows, half rows.
module attributes {accel.schedules = [
  {members = ["conv"],
   schedule = #accel.schedule<version = 1, anchor = 0,
     inputs = [<level = 3>, <level = 1>],
     members = [<loops = [<3 : 8>, <1 : 1>, <2 : 32>], rolling = false, level = 3, depth = 1, inplace = -1>]>}
]} {}
