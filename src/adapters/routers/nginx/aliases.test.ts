import { describe, expect, it } from 'vitest'
import { alias, withoutAliases } from './aliases.ts'

/** As nginx wants a name that is followed by a letter: `${by}` */
const within = (name: string): string => `\${${name}}`

const written = (...lines: string[]): string => withoutAliases(`${lines.join('\n')}\n`).trimEnd()

describe('a variable of nginx that is the same for each request', () => {
  it('is written out wherever it is asked for', () => {
    expect(
      written(alias('$by', 'weight'), 'log_format x \'["$by","$bytes_sent"]\';', `set $y ${within('by')}1;`),
    ).toBe('log_format x \'["weight","$bytes_sent"]\';\nset $y weight1;')
  })

  it('may stand for another one, over several steps, in whatever order', () => {
    const steps = [alias('$target', '$chosen'), alias('$chosen', '$split')]
    const pass = 'proxy_pass http://$target$request_uri;'
    for (const lines of [steps, steps.toReversed()])
      expect(written(...lines, pass)).toBe('proxy_pass http://$split$request_uri;')
    expect(written(...steps, `map "${within('target')}s" $x;`)).toBe(`map "${within('split')}s" $x;`)
  })

  it('is nothing within a text, and an empty text alone', () => {
    expect(written(alias('$visit', '""'), `map $visit $x { default "a$visit-${within('visit')}b"; }`)).toBe(
      'map "" $x { default "a-b"; }',
    )
  })

  it('takes away a header that never has a value, and no other', () => {
    const headers = (value: string) => `    add_header set-cookie ${value} always;`
    expect(written(alias('$none', '""'), headers('$none'), headers('$some'), 'end;')).toBe(
      `${headers('$some')}\nend;`,
    )
  })

  it('is none while it depends on the request', () => {
    const lines = ['map $host $x { default a; }', 'map "" $y { default "$x b"; }', 'set $z $x$y;']
    expect(written(...lines)).toBe(lines.join('\n'))
  })
})
