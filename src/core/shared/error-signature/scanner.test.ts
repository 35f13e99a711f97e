import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactor } from '../redact.ts'
import { createErrorScanner } from './scanner.ts'

function textsOf(output: string): string[] {
  const scanner = createErrorScanner(redactor(['s3cret']))
  const said = output.split('\n').flatMap((line) => scanner.read(line))
  return [...said, ...scanner.flush()].map(({ text }) => text)
}

const ERRORS: readonly (readonly [string, string, string])[] = [
  ['pino', '{"level":50,"time":1,"pid":7,"msg":"payment failed"}', 'payment failed'],
  [
    'pino with what was thrown',
    '{"level":60,"err":{"type":"TypeError","message":"x is null","stack":"TypeError: x is null\\n    at node:internal/a:1:2\\n    at pay (/srv/pay.js:3:1)"},"msg":"x is null"}',
    'TypeError: x is null at pay (pay.js)',
  ],
  ['JSON with a severity', '{"severity":"CRITICAL","message":"disk is full"}', 'disk is full'],
  ['Elastic common schema', '{"log":{"level":"error"},"message":"no shard"}', 'no shard'],
  [
    'Serilog',
    '{"@l":"Error","@mt":"Order {Id} failed","@x":"System.Exception: bad"}',
    'Order {Id} failed: System.Exception: bad',
  ],
  ['GELF', '{"version":"1.1","short_message":"no host","level":3}', 'no host'],
  [
    'logfmt',
    'time=now level=error msg="cannot \\"pay\\"" err="no money" user=3',
    'cannot \\"pay\\": no money',
  ],
  ['log4j', '2026-11-21 10:00:00,123 [main] ERROR com.acme.Shop - no stock', 'com.acme.Shop - no stock'],
  ['Python logging', 'ERROR:root:no stock', 'root:no stock'],
  ['Python logging, another order', '2026-11-21 10:00:00,1 - shop - CRITICAL - no stock', 'no stock'],
  ['nginx', '2026/11/21 10:00:00 [error] 31#31: *1 open() failed', '31#31: *1 open() failed'],
  ['Ruby', 'E, [2026-11-21T10:00:00.1 #7] ERROR -- : no stock', 'no stock'],
  [
    'PostgreSQL',
    '2026-11-21 10:00:00 UTC [7] ERROR:  relation "x" does not exist',
    'relation "x" does not exist',
  ],
  ['klog', 'E1121 10:00:00.123456       7 main.go:12] no stock', 'main.go no stock'],
  ['env_logger', '[2026-11-21T10:00:00Z ERROR shop] no stock', 'shop] no stock'],
  ['coloured', '\u001b[31merror\u001b[39m: no stock', 'error: no stock'],
  ['a program with its name', 'shop[12]: fatal error: no stock', 'shop[12]: fatal error: no stock'],
  [
    'PHP',
    'PHP Fatal error:  Uncaught Exception: no in /srv/a.php:3',
    'PHP Fatal error:  Uncaught Exception: no in /srv/a.php:3',
  ],
  ['a crash', 'Segmentation fault (core dumped)', 'Segmentation fault (core dumped)'],
  [
    'Node',
    '/srv/app.js:3\n    throw new TypeError("no")\n    ^\n\nTypeError: no\n    at pay (/srv/app.js:3:11)\n    at node:internal/main:1:1 {\n  code: 7\n}\n\nNode.js v24.0.0',
    'TypeError: no at pay (app.js)',
  ],
  [
    'Node with a code',
    'Error [ERR_STREAM]: gone\n    at /srv/node_modules/x/a.js:1:1\n    at q (/srv/s.js:1:1)',
    'Error [ERR_STREAM]: gone at s.js',
  ],
  [
    'Python',
    'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in pay\n    take()\n  File "/srv/money.py", line 9, in take\n    raise KeyError(1)\nKeyError: 1',
    'KeyError: 1 at take (money.py)',
  ],
  [
    'Python below a logged line, with a chain',
    'ERROR:shop:Exception on /pay [GET]\nTraceback (most recent call last):\n  File "/srv/a.py", line 3, in aaa\nKeyError: 1\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "/srv/b.py", line 4, in bbb\nValueError: two',
    'shop:Exception on /pay [GET]: ValueError: two at bbb (b.py)',
  ],
  [
    'Go',
    'panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.pay(0x1)\n\t/srv/main.go:7 +0x1d\nmain.main()\n\t/srv/main.go:3 +0x1d\nexit status 2',
    'panic: runtime error: index out of range [5] with length 3 at main.pay',
  ],
  [
    'Java',
    'Exception in thread "main" java.lang.IllegalStateException: no\n\tat java.base/java.util.List.get(List.java:3)\n\tat com.acme.Shop.pay(Shop.java:9)\nCaused by: java.io.IOException: x\n\t... 3 more',
    'Exception in thread "main" java.lang.IllegalStateException: no at com.acme.Shop.pay (Shop.java)',
  ],
  [
    'Java below a logged line',
    '10:00 ERROR c.a.Shop - pay\njava.lang.NullPointerException: no\n\tat com.acme.Shop.pay(Shop.java:9)',
    'c.a.Shop - pay: java.lang.NullPointerException: no at com.acme.Shop.pay (Shop.java)',
  ],
  [
    'Rust',
    "thread 'main' panicked at src/main.rs:4:5:\nno stock\nnote: run with `RUST_BACKTRACE=1`",
    'panicked: no stock',
  ],
  ['.NET', 'fail: Acme.Orders[0]\n      no stock\n      System.Exception: x', 'Acme.Orders: no stock'],
]

const HARMLESS = [
  'hello',
  '{"level":30,"msg":"error page shown"}',
  '{"level":"info","error":"none"}',
  '{"error":"no level"}',
  '2026-11-21 INFO went to state ERROR',
  'WARN error ahead',
  'level=info msg="no error"',
  '127.0.0.1 - - "GET /error HTTP/1.1" 500 12',
  '0 errors, 0 failures',
  'I1121 10:00:00.123456 7 main.go:12] error: none',
  '    at pay (/srv/app.js:3:11)',
  '',
]

describe('the scanner', () => {
  it.each(ERRORS)('knows an error of %s, and counts it once', (_, output, text) => {
    expect(textsOf(output)).toEqual([text])
  })

  it.each(HARMLESS)('takes %s for no error', (line) => expect(textsOf(line)).toEqual([]))

  it('counts two errors that follow each other as two', () => {
    expect(textsOf('ERROR one\nTypeError: two\nERROR three')).toEqual(['one', 'TypeError: two', 'three'])
    expect(textsOf('Error: one\n    at a (/b.js:1:1)\nError: two\nERROR three\nERROR four')).toHaveLength(4)
  })

  it('shows the line of an exception as the example, not the words above every trace', () => {
    const scanner = createErrorScanner(redactor(['s3cret']))
    for (const line of ['Traceback (most recent call last):', '  File "/a.py", line 1, in a', 'KeyError: 7'])
      scanner.read(line)
    expect(scanner.flush()[0]?.example).toBe('KeyError: 7')
  })

  it('ends a trace that never ends', () => {
    const scanner = createErrorScanner(redactor(['s3cret']))
    scanner.read('Error: deep')
    const said = Array.from({ length: 600 }, () => scanner.read('    at a (/b.js:1:1)'))
    expect(said.flat()).toHaveLength(1)
  })

  it('lets no secret through, also where a line is cut', () => {
    expect(textsOf('ERROR token s3cret')).toEqual(['token [redacted]'])
    for (let at = 16_360; at < 16_400; at += 1)
      expect(textsOf(`ERROR ${'x'.repeat(at)}s3cret`).join('')).not.toMatch(/s3/)
  })

  it('takes binary and endless lines without harm', () => {
    const begun = performance.now()
    for (const line of [
      `ERROR ${'x'.repeat(1e6)}`,
      `{"level":50,"msg":"${'{'.repeat(1e6)}`,
      `Error${'.a'.repeat(1e5)}`,
    ])
      expect(textsOf(line).length).toBeLessThanOrEqual(1)
    expect(performance.now() - begun).toBeLessThan(2000)
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (lines) => textsOf(lines.join('\n')).length >= 0),
    )
  })
})
