/**
 * The model, as data: a small image network with seeded pseudo-random weights. It has learnt nothing; what
 * matters is that compiling it is real work and that its numbers can be checked to the last bit.
 * All numbers are 32-bit floats, and images are laid out row, column, channel.
 */
export type Layer = ConvLayer | DenseLayer

/** A 3 × 3 convolution without padding, followed by ReLU. */
export type ConvLayer = {
  name: string
  kind: 'conv'
  size: number
  channels: number
  filters: number
  stride: number
}

/** Every output sees every input; the last layer leaves its sums as they are. */
export type DenseLayer = { name: string; kind: 'dense'; inputs: number; outputs: number; relu: boolean }

export const MODEL: { name: string; seed: number; layers: Layer[] } = {
  name: 'digits-16x16',
  seed: 20_260,
  layers: [
    { name: 'conv/1', kind: 'conv', size: 16, channels: 1, filters: 8, stride: 1 },
    { name: 'conv/2', kind: 'conv', size: 14, channels: 8, filters: 12, stride: 2 },
    { name: 'conv/3', kind: 'conv', size: 6, channels: 12, filters: 12, stride: 2 },
    { name: 'dense/1', kind: 'dense', inputs: 48, outputs: 36, relu: true },
    { name: 'dense/2', kind: 'dense', inputs: 36, outputs: 36, relu: true },
    { name: 'dense/3', kind: 'dense', inputs: 36, outputs: 36, relu: true },
    { name: 'dense/4', kind: 'dense', inputs: 36, outputs: 36, relu: true },
    { name: 'dense/5', kind: 'dense', inputs: 36, outputs: 10, relu: false },
  ],
}

/** What the network looks at: a digit, drawn by hand, one character a pixel. */
const DRAWING = [
  '................',
  '...########.....',
  '..##########....',
  '..##......###...',
  '...........##...',
  '...........##...',
  '..........###...',
  '.....#######....',
  '.....########...',
  '..........+###..',
  '............##..',
  '............##..',
  '..##.......###..',
  '..####...+###...',
  '...########+....',
  '................',
]

const BRIGHTNESS: Record<string, number> = { '.': 0, '+': 0.5, '#': 1 }

export function drawnDigit(): Float32Array {
  return Float32Array.from(DRAWING.join(''), (pixel) => BRIGHTNESS[pixel] ?? 0)
}

export const KERNEL_EDGE = 3

export function sizesOf(layer: Layer): { inputs: number; outputs: number } {
  if (layer.kind === 'dense') return { inputs: layer.inputs, outputs: layer.outputs }
  return { inputs: layer.size ** 2 * layer.channels, outputs: outputEdge(layer) ** 2 * layer.filters }
}

export function outputEdge(layer: ConvLayer): number {
  return Math.floor((layer.size - KERNEL_EDGE) / layer.stride) + 1
}

/** One row of weights for each filter or output, and its bias; the same numbers in every process. */
export function weightsOf(layer: Layer): { rows: Float32Array[]; biases: Float32Array } {
  const [rowCount, fanIn] =
    layer.kind === 'dense'
      ? [layer.outputs, layer.inputs]
      : [layer.filters, KERNEL_EDGE ** 2 * layer.channels]
  const random = seededRandom(MODEL.seed + MODEL.layers.indexOf(layer))
  const scale = Math.sqrt(6 / fanIn) // keeps activations of the same order from layer to layer
  const draw = (count: number) => Float32Array.from({ length: count }, () => (random() * 2 - 1) * scale)
  return { rows: Array.from({ length: rowCount }, () => draw(fanIn)), biases: draw(rowCount) }
}

/** mulberry32: small, and the same on every machine. */
function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
