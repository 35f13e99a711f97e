import { problem } from '../../core/shared/problem.ts'
import {
  type MetricProviderSetup,
  metricProviderConformance,
  TROUBLES,
  type Trouble,
} from '../conformance/metric-provider.ts'
import { metricOf } from '../metric-definition.test.kit.ts'
import { createMetricProviderFake } from './metric-provider.ts'

const QUERY = { provider: 'builtin', route: null, count: 'errors' } as const

metricProviderConformance('fake', async () => {
  const fake = createMetricProviderFake()
  const broken = (trouble: Trouble) => () => {
    const { codes, retryable } = TROUBLES[trouble]
    const metric = metricOf('ratio', QUERY, { name: trouble })
    fake.breakMetric(trouble, {
      problem: problem(codes[0], { message: `This is broken: ${trouble}.`, remedy: 'Mend it.', retryable }),
      retryAfterMs: trouble === 'rateLimited' ? 17_000 : null,
    })
    return metric
  }
  const impossible = (name: string, bad: number) => () => {
    fake.put('trouble', Date.now() - 1000, { kind: 'ratio', bad, total: 5 })
    return metricOf('ratio', QUERY, { name })
  }
  const setup: MetricProviderSetup = {
    provider: fake.provider,
    subject: { service: 'shop', environment: 'local' },
    metric: {
      ratio: metricOf('ratio', QUERY),
      rate: metricOf('rate', QUERY),
      histogram: metricOf('histogram', QUERY),
      value: metricOf('value', QUERY),
    },
    put: async (version, numbers) => {
      fake.put(version, Date.now(), numbers)
      return { fromMs: Date.now() - 1000, toMs: Date.now() + 1000 }
    },
    putAt: async (version, at, numbers) => fake.put(version, at, numbers),
    reset: { skip: 'the fake has no running counters' },
    trouble: {
      unreachable: broken('unreachable'),
      timeout: () => {
        fake.breakMetric('silent', { silence: true })
        return metricOf('ratio', QUERY, { name: 'silent', timeoutMs: 50 })
      },
      unauthorized: broken('unauthorized'),
      rateLimited: broken('rateLimited'),
      tooLarge: broken('tooLarge'),
      redirected: broken('redirected'),
      severalSeries: broken('severalSeries'),
      refused: broken('refused'),
      unreadable: broken('unreadable'),
      missingSecret: broken('missingSecret'),
      nan: impossible('nan', Number.NaN),
      infinity: impossible('infinity', Number.POSITIVE_INFINITY),
      negative: impossible('negative', -1e9),
    },
    secrets: [],
    dispose: async () => undefined,
  }
  return setup
})
