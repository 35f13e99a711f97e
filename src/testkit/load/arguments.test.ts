import { describe, expect, it } from 'vitest'
import { readArguments } from './arguments.ts'
import { SHOP_MIX } from './mix.ts'

const url = 'http://127.0.0.1:8080'
const read = (...argv: string[]) => readArguments(argv)

describe('the command line of the load client', () => {
  it('fills in what is not said', () => {
    const parsed = read('--url', url)
    expect(parsed).toMatchObject({ kind: 'ok', value: { kind: 'run', json: false } })
    expect(parsed).toMatchObject({
      value: { options: { url, ratePerSecond: 100, mix: SHOP_MIX, durationMs: 1_800_000 } },
    })
  })

  it('reads every option, and a path as a mix', () => {
    const parsed = read(
      ...['--url', url, '--rate', '20', '--mix', '/quote', '--connections', 'both', '--timeout', '2s'],
      ...['--version-header', 'X-Quotes-Version', '--for', '10m', '--json'],
    )
    expect(parsed).toMatchObject({
      kind: 'ok',
      value: {
        json: true,
        options: {
          ratePerSecond: 20,
          mix: [{ method: 'GET', path: '/quote', share: 1 }],
          connections: 'both',
          timeoutMs: 2000,
          versionHeader: 'x-quotes-version',
          durationMs: 600_000,
        },
      },
    })
  })

  it('never runs longer than half an hour', () => {
    expect(read('--url', url, '--for', '2d')).toMatchObject({ value: { options: { durationMs: 1_800_000 } } })
  })

  it.each([
    [[], '--url is missing'],
    [['--url', 'ftp://x'], '--url must be an http address, not "ftp://x"'],
    [['--url', url, '--rate', 'fast'], '--rate must be a number from 0 to 100000, not "fast"'],
    [['--url', url, '--mix', 'shops'], '--mix must be shop, quotes or a path, not "shops"'],
    [['--url', url, '--for', '10'], '--for must be a duration like 30s or 10m, not "10"'],
    [['--url', url, '--connections', 'none'], '--connections must be keep-alive, fresh or both, not "none"'],
  ])('refuses %j and says why', (argv, message) => {
    expect(read(...argv)).toMatchObject({ kind: 'failed', problem: { code: 'LOAD_USAGE', message } })
  })

  it('refuses an option it does not know', () => {
    expect(read('--url', url, '--speed', '3')).toMatchObject({
      kind: 'failed',
      problem: { code: 'LOAD_USAGE' },
    })
  })
})
