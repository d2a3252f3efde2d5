// Two groups: what is between them goes to DRAM and comes back.
module attributes {accel.schedules = [
  {members = ["first"],
   schedule = #accel.schedule<version = 1, anchor = 0, loops = [<1 : 4>],
     inputs = [<level = 1, rolling = true>, <level = 0>],
     members = [<rolling = false, level = 1, depth = 2, inplace = -1>]>},
  {members = ["second"],
   schedule = #accel.schedule<version = 1, anchor = 0, loops = [<1 : 4>],
     inputs = [<level = 1, rolling = true>, <level = 0>],
     members = [<rolling = false, level = 1, depth = 2, inplace = -1>]>}
]} {}
