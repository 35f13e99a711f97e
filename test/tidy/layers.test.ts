import { describe, expect, it } from 'vitest'
import { cyclesOf } from './cycles.ts'
import { forbidden, forbiddenForTest, LAYERS, layerOf } from './layers.ts'
import { impuritiesOf } from './purity.ts'
import { lineOf, sourcesBelow } from './sources.ts'

const sources = sourcesBelow('src')
const product = sources.filter(({ isTest }) => !isTest)
const tests = sources.filter(({ isTest }) => isTest)
const known = new Set(sources.map(({ path }) => path))

describe('the layers', () => {
  it('are looked at in every file: the numbers are not those of an empty folder', () => {
    expect(product.length).toBeGreaterThan(200)
    expect(tests.length).toBeGreaterThan(50)
    expect(product.flatMap(({ imports }) => imports).length).toBeGreaterThan(800)
    for (const { name, owns } of LAYERS)
      expect(product.filter(({ path }) => owns.test(path)).length, `files of ${name}`).toBeGreaterThan(0)
  })

  it('know where every file belongs', () => {
    expect(sources.map(({ path }) => path).filter((path) => layerOf(path) === null)).toEqual([])
  })

  it('find every relative import', () => {
    const lost = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => target.startsWith('src/') && !known.has(target))
        .map(({ target, line }) => `${path}:${line} imports ${target}, which does not exist`),
    )
    expect(lost).toEqual([])
  })

  it('import only what the arrows of the design allow', () => {
    const wrong = product.flatMap(({ path, imports }) =>
      imports.flatMap(({ target, line, onlyType }) => {
        const why = forbidden({ from: path, to: target, onlyType, isTest: false })
        return why === null ? [] : [`${path}:${line} ${why}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('keep product code free of tests and fixtures', () => {
    const wrong = product.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => tests.some((test) => test.path === target))
        .map(({ target, line }) => `${path}:${line} imports ${target}`),
    )
    expect(wrong).toEqual([])
  })

  it('keep the private parts of a face to the face, in tests too', () => {
    const wrong = tests.flatMap(({ path, imports }) =>
      imports.flatMap(({ target, line }) => {
        const why = forbiddenForTest(path, target)
        return why === null ? [] : [`${path}:${line} ${why}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('have no cycles', () => {
    expect(cyclesOf(product)).toEqual([])
  })
})

describe('core', () => {
  it('is pure: no clock, no chance, no waiting, no world', () => {
    const core = product.filter(({ path }) => path.startsWith('src/core/'))
    const wrong = core.flatMap((source) =>
      impuritiesOf(source).map(
        ({ node, what }) => `${source.path}:${lineOf(source.text, node.start)} ${what}`,
      ),
    )
    expect(core.length).toBeGreaterThan(30)
    expect(wrong).toEqual([])
  })
})
