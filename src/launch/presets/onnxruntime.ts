import type { Preset } from '../preset.js'

// tensorrt_execution_provider.h (tensorrt_env_vars); onnxruntime.ai, "TensorRT Execution Provider". ONNX Runtime's other
// providers have no variable, and options that the program gives win over these.
export const onnxruntime: Preset = {
  name: 'onnxruntime',
  about: "ONNX Runtime's TensorRT engines",
  variables: { ORT_TENSORRT_CACHE_PATH: 'onnxruntime', ORT_TENSORRT_ENGINE_CACHE_ENABLE: '=1' },
  // An `.engine` is read with the `.profile` of the same name. Both are written in place.
  units: ['onnxruntime'],
  checked: 'onnxruntime 1.32.0, documentation',
}
