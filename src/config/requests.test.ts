import { describe, expect, it } from 'vitest'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

const load = (more: string, environment = 'local') =>
  loadConfig({
    file: 'sluice.yaml',
    text: `service: shop
run: { command: node server.js }
listen: 8080
${more}
`,
    environment,
  })

function loaded(more: string, environment = 'local') {
  const result = load(`health: { path: /up }\n${more}`, environment)
  if (result.kind === 'failed') throw new Error(result.problem[0]?.message)
  const [settings] = result.value.services
  const explained = explainSettings(result.value)
    .filter(({ path }) => /^(health\.outlier|limits|accessLog)/.test(path))
    .map(({ path, value, originText }) => `${path} ${value} <- ${originText}`)
  return { settings, explained }
}
const refusals = (more: string) => {
  const result = load(more)
  return result.kind === 'failed' ? result.problem.map(({ code, message }) => `${code} ${message}`) : []
}

describe('what is done with requests', () => {
  it('is to leave failing instances out, and nothing else unless somebody asks for it', () => {
    const { settings, explained } = loaded('')
    expect(settings?.outlier).toEqual({ failures: 5, forMs: 10_000, maxPercent: 50 })
    expect([settings?.limits, settings?.accessLog]).toEqual([undefined, undefined])
    expect(explained).toEqual([
      'health.outlier.failures 5 <- default',
      'health.outlier.for 10s <- default',
      'health.outlier.max 50% <- default',
      'limits off <- default',
      'accessLog off <- default',
    ])
  })

  it('follows the file, key by key and environment by environment', () => {
    const file = `limits: { body: 10MB, requests: 500, perSecond: 2.5 }
accessLog: { sample: 10%, query: true }
environments: { production: { limits: { requests: 50 }, accessLog: on, health: { outlier: off } }, staging: { limits: off } }`
    const local = loaded(file).settings
    expect(local?.limits).toEqual({
      bodyBytes: 10_000_000,
      requests: 500,
      rate: { perSecond: 2.5, burst: 3 },
    })
    expect(local?.accessLog).toEqual({ sharePermille: 100, query: true })
    const { settings: production, explained } = loaded(file, 'production')
    expect(production?.limits).toEqual({ ...local?.limits, requests: 50 })
    expect(production?.accessLog).toEqual({ sharePermille: 1000, query: false })
    expect(production?.outlier).toBeUndefined()
    expect(explained).toContainEqual(
      expect.stringMatching(/^accessLog 100% of the requests <- .*environment production/),
    )
    expect(loaded(file, 'staging').settings?.limits).toBeUndefined()
  })

  it('is asked of another router only where the file names it', () => {
    const { settings, explained } = loaded('router: nginx')
    expect(settings?.outlier).toBeUndefined()
    expect(explained[0]).toBe('health.outlier off <- default: off: only the built-in proxy does it unasked')
    const asked = load('router: nginx\nhealth: { path: /up, outlier: { failures: 3 } }')
    expect(asked.kind === 'ok' && asked.value.services[0]?.outlier?.failures).toBe(3)
  })

  it('refuses what has no meaning', () => {
    const path = 'health: { path: /up }\n'
    expect(refusals(`${path}limits: { burst: 5 }`)).toEqual([
      expect.stringMatching(/^CONFIG_CONFLICT .*limits.burst/),
    ])
    expect(refusals(`${path}limits: { body: 10 }`)).toEqual([
      expect.stringMatching(/^CONFIG_OUT_OF_RANGE .*limits.body.* at least 1KiB/),
    ])
    expect(refusals(`${path}limits: { requests: 0 }`)).toEqual([
      expect.stringMatching(/^CONFIG_OUT_OF_RANGE .*limits.requests/),
    ])
    expect(refusals(`${path}accessLog: { sample: 0% }`)).toEqual([
      expect.stringMatching(/^CONFIG_OUT_OF_RANGE .*accessLog.sample/),
    ])
    expect(refusals('health: { path: /up, outlier: { failures: 0 } }')).toEqual([
      expect.stringMatching(/^CONFIG_OUT_OF_RANGE .*health.outlier.failures/),
    ])
    const worker =
      'environments: { local: { listen: none, health: { command: ok }, limits: { requests: 1 }, prober: off } }'
    expect(refusals(`health: { command: ok }\nverify: []\n${worker}`)).toEqual([
      expect.stringMatching(/^CONFIG_CONFLICT .*limits/),
    ])
  })
})
