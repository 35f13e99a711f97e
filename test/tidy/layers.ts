/** May a file import another one? Paths are relative to the root of the repository. */
export type Layer = { name: string; owns: RegExp; may: RegExp[] }

const CORE = /^src\/core\//
const SHARED = /^src\/core\/shared\//
const PORTS = /^src\/ports\//
const CONFIG = /^src\/config\//
const ENGINE = /^src\/engine\//
const TELEMETRY = /^src\/telemetry\//
const TLS = /^src\/tls\//
const OPERATIONS = /^src\/operations\//

/**
 * The arrows of ARCHITECTURE.md. A layer may always import its own files; packages are not restricted except in core.
 * The demo is a program of its own: the command `demo` begins it, and it uses public commands only.
 */
export const LAYERS: readonly Layer[] = [
  { name: 'core', owns: CORE, may: [] },
  { name: 'analysis', owns: /^src\/analysis\.ts$/, may: [/^src\/core\/analysis\/sequential\//] },
  { name: 'ports', owns: PORTS, may: [CORE] },
  { name: 'engine', owns: ENGINE, may: [PORTS, CORE] },
  { name: 'adapters', owns: /^src\/adapters\//, may: [PORTS, SHARED, TLS] },
  { name: 'config', owns: CONFIG, may: [CORE] },
  { name: 'operations', owns: OPERATIONS, may: [ENGINE, CONFIG, PORTS, CORE] },
  { name: 'server', owns: /^src\/server\//, may: [OPERATIONS, CORE, PORTS] },
  { name: 'cli', owns: /^src\/cli\//, may: [OPERATIONS, CONFIG, CORE, /^src\/demo\/demo\.ts$/] },
  { name: 'telemetry', owns: TELEMETRY, may: [SHARED] },
  { name: 'tls', owns: TLS, may: [SHARED] },
  { name: 'proxy', owns: /^src\/proxy\//, may: [SHARED, TELEMETRY, TLS] },
  { name: 'agent', owns: /^src\/agent\//, may: [SHARED, TELEMETRY] },
  { name: 'demo', owns: /^src\/demo\//, may: [SHARED] },
  {
    name: 'testkit',
    owns: /^src\/testkit\//,
    may: [CORE, PORTS, ENGINE, CONFIG, OPERATIONS, /^src\/adapters\//],
  },
  {
    name: 'composition',
    owns: /^src\/(main|compose|controller)\.ts$|^src\/(compose|controller)\//,
    may: [/^src\//],
  },
]

/** Folders of adapters know themselves only, not even another adapter of the same port; and `tools`, which is none. */
const adapterOf = (path: string): string | null => /^src\/adapters\/[^/]+\/[^/]+\//.exec(path)?.[0] ?? null

export const layerOf = (path: string): Layer | null => LAYERS.find(({ owns }) => owns.test(path)) ?? null

type Arrow = { from: string; to: string; onlyType: boolean; isTest: boolean }

/** Why the import is not allowed, or null. */
export function forbidden({ from, to, onlyType, isTest }: Arrow): string | null {
  const layer = layerOf(from)
  if (layer === null) return 'belongs to no layer'
  if (to === '(computed)') return isTest ? null : 'imports a computed path'
  if (!to.startsWith('src/')) return outside(layer, to, isTest)
  if (isTest) return null
  if (adapterOf(from) !== null && layer.owns.test(to))
    return [adapterOf(from), null].includes(adapterOf(to)) ? null : `imports another adapter: ${to}`
  if (layer.name === 'server' && PORTS.test(to) && !onlyType) return `may import only types of ${to}`
  const allowed = layer.owns.test(to) || layer.may.some((target) => target.test(to))
  return allowed ? null : `${layer.name} may not import ${to}`
}

function outside(layer: Layer, to: string, isTest: boolean): string | null {
  if (isTest) return null
  if (/^(test|bench|scripts|web|tools|examples)\//.test(to)) return `imports ${to} from outside of src`
  if (layer.name === 'core' && to !== 'zod') return `core may import zod and nothing else, not ${to}`
  return null
}

/** The rule for tests: the product's own parts, the testkit and fixtures, but no private part of a face from elsewhere. */
export function forbiddenForTest(from: string, to: string): string | null {
  const face = /^src\/(cli|server|mcp)\//.exec(to)?.[0]
  if (face === undefined || from.startsWith(face) || !from.startsWith('src/')) return null
  return `a test outside of ${face} imports ${to}`
}
