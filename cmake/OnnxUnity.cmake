# Read by ONNX's own build (scripts/setup): its sources in batches take half the
# time, except for those that protoc wrote, which define the same names.
cmake_language(DEFER CALL set_target_properties onnx_proto PROPERTIES UNITY_BUILD OFF)
