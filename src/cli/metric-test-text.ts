import { formatDuration } from '../core/shared/duration.ts'
import type { MetricSample } from '../core/shared/metric-sample.ts'
import type { MetricTest } from '../operations/metrics/tester.ts'
import { type Line, type Look, quiet, span, strong } from './text/line.ts'
import { problemLines } from './text/problem.ts'
import { dateTime } from './text/time.ts'

type MetricReading = NonNullable<MetricTest['candidate']>
type Versions = { candidate: string | null; stable: string | null }

/** Query, window, numbers of each version, and what the rule says. */
export function metricTestLines(test: MetricTest, { candidate, stable }: Versions): Line[] {
  const { metric, rule } = test
  return [
    [
      strong(metric.name),
      quiet(`  ${metric.measure.kind} from ${metric.query.provider}, tier ${metric.tier}`),
    ],
    ...sideLines('candidate', candidate, test.candidate),
    ...sideLines('stable', stable, test.stable),
    [span(`  ${rule.verdict}`, LOOKS[rule.verdict]), span(`: ${rule.sentence}`)],
    [],
  ]
}

const LOOKS: Record<MetricTest['rule']['verdict'], Look> = {
  worse: 'bad',
  'not-worse': 'good',
  watching: 'plain',
  'no-data': 'attention',
  'provider-broken': 'bad',
}

function sideLines(side: string, version: string | null, reading: MetricReading | null): Line[] {
  if (version === null || reading === null) return []
  return [
    [span(`  ${side} ${version}: `), ...answerOf(reading)],
    ...reading.asked.flatMap((text) => text.split('\n')).map((text): Line => [quiet(`    asked: ${text}`)]),
    ...reading.notes.map((note): Line => [span('    note: ', 'attention'), span(note)]),
    ...(reading.kind === 'failure'
      ? problemLines([reading.problem]).map((line): Line => [span('    '), ...line])
      : []),
  ]
}

function answerOf(reading: MetricReading): Line {
  switch (reading.kind) {
    case 'sample': {
      const { fromMs, toMs } = reading.covered
      return [
        strong(sampleText(reading.sample)),
        quiet(`  in ${formatDuration(toMs - fromMs)} up to ${dateTime(toMs)} UTC`),
      ]
    }
    case 'no-data':
      return [span('no data', 'attention'), span(`: ${reading.reason}`)]
    case 'failure':
      return [span('no answer', 'bad')]
  }
}

const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 3 })

function sampleText(sample: MetricSample): string {
  switch (sample.kind) {
    case 'ratio':
      return `${number(sample.bad)} of ${number(sample.total)}${shareText(sample.bad, sample.total)}`
    case 'rate':
      return `${number(sample.events)} events in ${number(sample.exposure)}${shareText(sample.events, sample.exposure)}`
    case 'histogram':
      return sample.counts
        .map((count, index) => {
          const bound = sample.bounds[index]
          return bound === undefined ? `above ${number(count)}` : `≤${number(bound)}: ${number(count)}`
        })
        .join(', ')
    case 'value':
      return number(sample.value)
  }
}

const shareText = (part: number, whole: number): string =>
  whole === 0 ? '' : ` (${number((100 * part) / whole)}%)`
