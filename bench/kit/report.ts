import type { Bench, Row, Table } from './row.ts'

/** One figure on one line, for the terminal. */
export function rowLine(row: Row): string {
  if (row.kind === 'missing') return `  ${row.what.padEnd(56)} missing: ${row.why}`
  if (row.kind === 'picture') return `  ${row.what.padEnd(56)} docs/images/${row.file}`
  if (row.kind === 'table') return alignedText(row)
  const names = row.points.map(({ name }) => name).join(' / ')
  const aim = row.aim === null ? '' : `   aim: ${row.aim.text}: ${row.aim.met ? 'met' : 'MISSED'}`
  return `  ${row.what.padEnd(56)} ${valuesText(row)} ${row.unit}  (${names} of ${row.runs})${aim}`
}

function alignedText({ what, head, lines }: Table): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...lines].map((line) => line[column]?.length ?? 0)),
  )
  const lineText = (line: readonly string[]): string =>
    `  ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()
  return ['', `  ${what}`, lineText(head), ...lines.map(lineText)].join('\n')
}

const valuesText = ({ points }: Extract<Row, { kind: 'measured' }>): string =>
  points.map(({ value }) => numberText(value)).join(' / ')

/** Three digits that count; whole numbers as they are. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value)
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export type Section = {
  bench: Bench
  rows: readonly Row[]
  commit: string
  date: string
  machine: readonly string[]
}

/** The chapter of one bench in docs/benchmarks.md. */
export function sectionText({ bench, rows, commit, date, machine }: Section): string {
  return [
    `## ${bench.title}`,
    `Measured on ${date} at commit \`${commit}\`, with \`npm run bench -- ${bench.name}\`.`,
    '',
    '| what | values | unit | aim | |',
    '|---|---|---|---|---|',
    ...rows.flatMap(tableLine),
    '',
    ...rows.flatMap(besideTable),
    ...bench.method.map((sentence) => `- ${sentence}`),
    ...machine.map((sentence) => `- ${sentence}`),
  ].join('\n')
}

function tableLine(row: Row): string[] {
  if (row.kind === 'table' || row.kind === 'picture') return []
  if (row.kind === 'missing') return [`| ${row.what} | not measured: ${cell(row.why)} | | | |`]
  const names = row.points.map(({ name }) => name).join(' / ')
  const values = `${valuesText(row)} (${names} of ${row.runs})`
  const aim = row.aim === null ? ' | ' : `${row.aim.text} | ${row.aim.met ? 'met' : '**missed**'}`
  return [`| ${cell(row.what)} | ${values} | ${row.unit} | ${aim} |`]
}

/** Tables of their own and pictures, in the order of the rows. */
function besideTable(row: Row): string[] {
  if (row.kind === 'picture') return [`![${row.what}](images/${row.file})`, '']
  if (row.kind !== 'table') return []
  const lineText = (line: readonly string[]): string => `| ${line.map(cell).join(' | ')} |`
  const rule = `|${'---|'.repeat(row.head.length)}`
  return [`**${row.what}**`, '', lineText(row.head), rule, ...row.lines.map(lineText), '']
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
