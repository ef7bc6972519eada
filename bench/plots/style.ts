/** What all charts have in common: colours for light and dark, sizes, and how wide a text may become. */
import { Markup } from '../../src/cli/timeline/markup.js'

export const WIDTH = 880
export const MARGIN = 28
/** Of a character, in parts of the font's size: in the widest of the usual sans-serif fonts. */
const CHARACTER = 0.6
export const SMALL = 11

/** Told apart by line and mark as well, for those who do not see the colours. */
const TONES = ['ours', 'second', 'third', 'floor', 'other'] as const
export type Tone = (typeof TONES)[number]

const LIGHT: Record<Tone, string> = {
  ours: '#2f6fde',
  second: '#1b9aaa',
  third: '#9a5bd6',
  floor: '#8c959f',
  other: '#e8a339',
}
const DARK: Record<Tone, string> = {
  ours: '#4d8ff5',
  second: '#2bb3c0',
  third: '#b58bec',
  floor: '#7d8590',
  other: '#d29922',
}

const colours = (of: Record<Tone, string>): string =>
  TONES.map((tone) => `.bp .${tone}{fill:${of[tone]};stroke:${of[tone]}}`).join('')

/** A text has a rim of the paper's colour: no line of the grid strikes it through. */
export const STYLE = new Markup(`<style>
.bp{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}
.bp .paper{fill:#fff;stroke:#d8dee4}.bp .title{font-size:15px;font-weight:600}.bp .head{font-weight:600}
.bp text{fill:#1f2328;stroke:#fff;stroke-width:3px;paint-order:stroke}.bp .small{font-size:${SMALL}px;fill:#656d76}.bp .grid{stroke:#d8dee4}.bp .base{stroke:#afb8c1}
${colours(LIGHT)}
.bp rect.bar{stroke:none}.bp path.line{fill:none;stroke-width:2.25;stroke-linejoin:round;stroke-linecap:round}
.bp path.floor.line{stroke-dasharray:5 4}.bp path.spread{stroke-width:1.5;fill:none}
.bp circle{stroke:#fff;stroke-width:1.5}
@media (prefers-color-scheme:dark){
.bp .paper{fill:#0d1117;stroke:#30363d}.bp text{fill:#e6edf3;stroke:#0d1117}.bp .small{fill:#8d96a0}.bp .grid{stroke:#262c36}.bp .base{stroke:#484f58}
.bp circle{stroke:#0d1117}
${colours(DARK)}
}
</style>`)

export function widthOf(text: string, size = SMALL): number {
  return text.length * size * CHARACTER
}

/** In lines that fit into so many pixels, broken at spaces. */
export function wrapped(text: string, pixels: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`
    if (lines.length > 0 && widthOf(longer) <= pixels) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

/** To a hundredth of a pixel. */
export function round(pixels: number): number {
  return Math.round(pixels * 100) / 100
}
