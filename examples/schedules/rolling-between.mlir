// One group: first computes new rows only and keeps two in a circular buffer.
module attributes {accel.schedules = [
  {members = ["first", "second"],
   schedule = #accel.schedule<version = 1, anchor = 1, loops = [<1 : 4>],
     inputs = [<level = 1, rolling = true>, <level = 0>, <level = 0>],
     members = [<loops = [<1 : 2>], rolling = true, level = 0, depth = 1, inplace = -1>,
                <rolling = false, level = 1, depth = 1, inplace = -1>]>}
]} {}
