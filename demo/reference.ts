/**
 * The model in plain JavaScript, for checking. Each product and each sum is rounded to 32 bits, in the order in
 * which the kernels do it, so that the two must agree exactly: IEEE 754 leaves no room for a tolerance.
 */
import { MODEL, outputEdge, weightsOf, KERNEL_EDGE } from './model.js'
import type { ConvLayer, DenseLayer } from './model.js'

export function runReference(image: Float32Array): Float32Array {
  return MODEL.layers.reduce(
    (values, layer) => (layer.kind === 'conv' ? convolve(layer, values) : connect(layer, values)),
    image,
  )
}

function connect(layer: DenseLayer, input: Float32Array): Float32Array {
  const { rows, biases } = weightsOf(layer)
  return Float32Array.from(rows, (weights, output) => {
    const sum = weightedSum(biases[output]!, weights, input)
    return layer.relu ? Math.max(0, sum) : sum
  })
}

function convolve(layer: ConvLayer, image: Float32Array): Float32Array {
  const { rows, biases } = weightsOf(layer)
  const edge = outputEdge(layer)
  const result = new Float32Array(edge * edge * layer.filters)
  for (let y = 0; y < edge; y++) {
    for (let x = 0; x < edge; x++) {
      const seen = windowAt(layer, image, y * layer.stride, x * layer.stride)
      for (let filter = 0; filter < layer.filters; filter++) {
        const sum = weightedSum(biases[filter]!, rows[filter]!, seen)
        result[(y * edge + x) * layer.filters + filter] = Math.max(0, sum)
      }
    }
  }
  return result
}

function windowAt(layer: ConvLayer, image: Float32Array, top: number, left: number): Float32Array {
  const width = KERNEL_EDGE * layer.channels
  const seen = new Float32Array(KERNEL_EDGE * width)
  for (let row = 0; row < KERNEL_EDGE; row++) {
    const start = ((top + row) * layer.size + left) * layer.channels
    seen.set(image.subarray(start, start + width), row * width)
  }
  return seen
}

function weightedSum(bias: number, weights: Float32Array, values: Float32Array): number {
  let sum = bias
  for (let i = 0; i < weights.length; i++) {
    sum = Math.fround(sum + Math.fround(values[i]! * weights[i]!))
  }
  return sum
}
