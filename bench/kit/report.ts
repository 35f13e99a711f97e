import type { Bench, Row } from './row.ts'

/** One figure on one line, for the terminal. */
export function rowLine(row: Row): string {
  if (row.kind === 'missing') return `  ${row.what.padEnd(56)} missing: ${row.why}`
  const names = row.points.map(({ name }) => name).join(' / ')
  const aim = row.aim === null ? '' : `   aim: ${row.aim.text}: ${row.aim.met ? 'met' : 'MISSED'}`
  return `  ${row.what.padEnd(56)} ${valuesText(row)} ${row.unit}  (${names} of ${row.runs})${aim}`
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
    ...rows.map(tableLine),
    '',
    ...bench.method.map((sentence) => `- ${sentence}`),
    ...machine.map((sentence) => `- ${sentence}`),
  ].join('\n')
}

function tableLine(row: Row): string {
  if (row.kind === 'missing') return `| ${row.what} | not measured: ${cell(row.why)} | | | |`
  const names = row.points.map(({ name }) => name).join(' / ')
  const values = `${valuesText(row)} (${names} of ${row.runs})`
  const aim = row.aim === null ? ' | ' : `${row.aim.text} | ${row.aim.met ? 'met' : '**missed**'}`
  return `| ${cell(row.what)} | ${values} | ${row.unit} | ${aim} |`
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
