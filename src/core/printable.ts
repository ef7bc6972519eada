/** What others wrote, fit for a terminal and for a log. */

/** In one line: nothing that moves the cursor, begins a line, or writes backwards. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{C}\u2028\u2029]/gu, '�')
}

/** The same with its lines, for what may be a whole message of a compiler. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
