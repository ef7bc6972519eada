/** Small mistakes that can be made in a file of TypeScript: each is one replacement in its text. */
import { parseAst } from 'rolldown/parseAst'

export interface Mutant {
  /** Offsets in the text of the file. */
  start: number
  end: number
  replacement: string
  /** What was replaced, and where, for people. */
  line: number
  original: string
}

interface Node {
  type: string
  start: number
  end: number
  [name: string]: unknown
}

/** An operator, and those that somebody might have written instead. */
const OPERATORS: Record<string, string[]> = {
  '<': ['<=', '>'],
  '<=': ['<', '>'],
  '>': ['>=', '<'],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&': ['|'],
  '&&': ['||'],
  '||': ['&&'],
  '??': ['&&'],
}

/** A method, and its like. */
const METHODS: Record<string, string> = {
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  every: 'some',
  some: 'every',
  min: 'max',
  max: 'min',
}

export function mutantsOf(text: string): Mutant[] {
  const mutants: Mutant[] = []
  const add = (start: number, end: number, replacement: string): void => {
    const line = text.slice(0, start).split('\n').length
    mutants.push({ start, end, replacement, line, original: text.slice(start, end) })
  }
  visit(parseAst(text, { lang: 'ts' }) as unknown as Node, (node) => mutateNode(node, text, add))
  return mutants
}

/** What is left of these when the types are gone. */
const WITH_A_TYPE = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'])

function visit(node: Node, look: (node: Node) => void): void {
  if (WITH_A_TYPE.has(node.type)) return visit(node['expression'] as Node, look)
  if (node.type.startsWith('TS')) return
  look(node)
  for (const child of Object.values(node))
    for (const each of [child].flat())
      if (typeof each === 'object' && each !== null && 'type' in each) visit(each as Node, look)
}

type Add = (start: number, end: number, replacement: string) => void

function mutateNode(node: Node, text: string, add: Add): void {
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression':
      return mutateOperator(node, text, add)
    case 'IfStatement':
    case 'ConditionalExpression':
      return mutateTest(node['test'] as Node, add)
    case 'ExpressionStatement':
    case 'ThrowStatement':
      return add(node.start, node.end, ';')
    case 'UnaryExpression':
      if (node['operator'] === '!') add(node.start, node.start + 1, '')
      return
    case 'Literal':
      return mutateLiteral(node, text, add)
    case 'MemberExpression': {
      const { start, end, name } = node['property'] as Node & { name?: string }
      const other = name === undefined || !Object.hasOwn(METHODS, name) ? undefined : METHODS[name]
      if (other !== undefined && node['computed'] === false) add(start, end, other)
      return
    }
    default:
  }
}

function mutateOperator(node: Node, text: string, add: Add): void {
  const { left, right, operator } = node as unknown as { left: Node; right: Node; operator: string }
  const start = text.indexOf(operator, left.end)
  if (start < 0 || start >= right.start) return
  for (const other of OPERATORS[operator] ?? []) add(start, start + operator.length, other)
}

function mutateTest({ start, end }: Node, add: Add): void {
  add(start, end, 'true')
  add(start, end, 'false')
}

/** Texts are for people, and their wording is not what is tried here. */
function mutateLiteral({ start, end, value, regex }: Node, text: string, add: Add): void {
  if (typeof value === 'number') add(start, end, String(value + 1))
  if (typeof value === 'boolean') add(start, end, String(!value))
  if (regex === undefined || regex === null) return
  mutateRegex(text.slice(start, end), start, add)
}

function mutateRegex(source: string, start: number, add: Add): void {
  const replace = (from: number, length: number, other: string): void =>
    add(start + from, start + from + length, other)
  if (source.startsWith('/^')) replace(1, 1, '')
  const last = source.lastIndexOf('/')
  if (source[last - 1] === '$') replace(last - 1, 1, '')
  for (const { 0: quantifier, index } of source.matchAll(/(?<!\\)[*+?](?![?:=!<])/g))
    replace(index, 1, quantifier === '+' ? '*' : '+')
  for (const { index } of source.matchAll(/\[\^/g)) replace(index + 1, 1, '')
  // A class of characters, and all others.
  for (const { 0: escape, index } of source.matchAll(/(?<!\\)\\[dpsw]/g))
    replace(index, 2, escape.toUpperCase())
}
