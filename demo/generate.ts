/**
 * One layer → AssemblyScript, specialised: shapes and weights are constants, the sums are unrolled. A kernel is
 * one function `run()` over its own memory: the input lies at address 0, the output right behind it.
 */
import { KERNEL_EDGE, outputEdge, sizesOf, weightsOf } from './model.js'
import type { ConvLayer, DenseLayer, Layer } from './model.js'

export const FLOAT_BYTES = 4

export function kernelSource(layer: Layer): string {
  const body = layer.kind === 'dense' ? denseBody(layer) : convBody(layer)
  return `export function run(): void {\n${body.join('\n')}\n}\n`
}

function denseBody(layer: DenseLayer): string[] {
  return [
    ...loads(layer.inputs, (input) => `load<f32>(${input * FLOAT_BYTES})`),
    ...sums(layer, layer.relu).map(
      (sum, output) => `store<f32>(${(layer.inputs + output) * FLOAT_BYTES}, ${sum})`,
    ),
  ]
}

/** The loops over the image stay loops; what is inside of them is unrolled over the window and the filters. */
function convBody(layer: ConvLayer): string[] {
  const edge = outputEdge(layer)
  const rowBytes = layer.size * layer.channels * FLOAT_BYTES
  const windowRow = KERNEL_EDGE * layer.channels
  const offset = (tap: number) => Math.floor(tap / windowRow) * rowBytes + (tap % windowRow) * FLOAT_BYTES
  return [
    `for (let y = 0; y < ${edge}; y++) for (let x = 0; x < ${edge}; x++) {`,
    `const from: usize = y * ${layer.stride * rowBytes} + x * ${layer.stride * layer.channels * FLOAT_BYTES}`,
    `const to: usize = (y * ${edge} + x) * ${layer.filters * FLOAT_BYTES}`,
    ...loads(KERNEL_EDGE * windowRow, (tap) => `load<f32>(from, ${offset(tap)})`),
    ...sums(layer, true).map(
      (sum, filter) => `store<f32>(to, ${sum}, ${(sizesOf(layer).inputs + filter) * FLOAT_BYTES})`,
    ),
    '}',
  ]
}

function loads(count: number, load: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => `const v${index} = ${load(index)}`)
}

/** Left to right, bias first: the reference adds in the same order. */
function sums(layer: Layer, relu: boolean): string[] {
  const { rows, biases } = weightsOf(layer)
  return rows.map((weights, row) => {
    const terms = Array.from(weights, (weight, index) => `v${index} * ${weight}`)
    const sum = [`${biases[row]}`, ...terms].join(' + ')
    return relu ? `max<f32>(0, ${sum})` : sum
  })
}
