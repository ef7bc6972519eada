/** Text as part of XML or HTML, whoever wrote it. */

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** XML 1.0 has no way at all to write these: control characters, halves of surrogate pairs, U+FFFE and U+FFFF. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const IMPOSSIBLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Cs}/gu

/** Markup: to be put into other markup as it is. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | Markup[] | string | number

/** A template whose values are escaped, except markup: `` xml`<b title="${name}">${content}</b>` ``. */
export function xml(texts: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(
    texts.map((text, index) => text + (index < parts.length ? rendered(parts[index]!) : '')).join(''),
  )
}

function rendered(part: Part): string {
  if (part instanceof Markup) return part.text
  if (Array.isArray(part)) return part.map(({ text }) => text).join('\n')
  return String(part)
    .replaceAll(IMPOSSIBLE, '\uFFFD')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
}
