/** What was written for programs, in words. */

/** Where it needs no quotes to be understood. */
const PLAIN = /^[\w.,:;/+@%-]+$/

/** `model=llama dtype=bf16` for a key of plain parts; any other as its canonical JSON. */
export function readableKey(canonical: string): string {
  let key: unknown
  try {
    key = JSON.parse(canonical)
  } catch {
    return canonical // Shortened.
  }
  if (typeof key === 'string' && PLAIN.test(key)) return key
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return canonical
  const parts = Object.entries(key)
  const isPlain = parts.length > 0 && parts.flat().every((part) => PLAIN.test(textOf(part)))
  return isPlain ? parts.map((part) => part.map(textOf).join('=')).join(' ') : canonical
}

/** An object may have a `toString` of its own, of which nothing is to be called. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
