import type { Volume } from '../core/shared/container-spec.ts'
import { type Reading, read, refused, scalar, shown } from './complaint.ts'
import { checkPlaceholders } from './placeholders.ts'

export const image = () => scalar(readImage, { title: 'image' })
export const volume = () => scalar(readVolume, { title: 'volume' })

const MAX_REFERENCE = 512
/** `[host[:port]/]path[:tag][@sha256:...]`, as the reference grammar of the registries has it; a placeholder stands for a word. */
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*'
const HOST = '(?:localhost|[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:\\d))(?::\\d{1,5})?'
const REFERENCE = new RegExp(
  `^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$`,
)
const PLACEHOLDER = /\{\{version\}\}/g

function readImage(input: unknown): Reading<string> {
  if (typeof input !== 'string' || input === '')
    return refused(
      'CONFIG_BAD_IMAGE',
      `is ${shown(input)}, but must be the name of an image`,
      'Write for example registry.local/shop:{{version}}.',
    )
  const placeholders = checkPlaceholders(
    input,
    ['version'],
    'Only the version is known when the image is looked up.',
  )
  if (placeholders.kind === 'refused') return placeholders
  if (input.length <= MAX_REFERENCE && REFERENCE.test(input.replaceAll(PLACEHOLDER, 'v'))) return placeholders
  return refused(
    'CONFIG_BAD_IMAGE',
    `is ${shown(input)}, which is no name of an image`,
    'Write [registry/]name:tag or name@sha256:..., with the name in lower case, for example registry.local/shop:{{version}}.',
  )
}

function readVolume(input: unknown): Reading<Volume> {
  const parts = typeof input === 'string' ? input.split(':') : []
  const [source = '', target = '', mode] = parts
  if (parts.length < 2 || parts.length > 3 || source === '' || input === '' || !target.startsWith('/'))
    return refused(
      'CONFIG_BAD_VOLUME',
      `has ${shown(input)}, but must be source:target`,
      'Write for example ./uploads:/data, or cache:/var/cache:ro with the name of a volume. The target is an absolute path.',
    )
  if (mode !== undefined && mode !== 'ro' && mode !== 'rw')
    return refused(
      'CONFIG_BAD_VOLUME',
      `has ${shown(input)} with the mode ${shown(mode)}`,
      'Write ro to read only, or leave the mode out.',
    )
  if (source.startsWith('~') || [source, target].some((one) => one.includes('\0')))
    return refused(
      'CONFIG_BAD_VOLUME',
      `has ${shown(input)}, which only a shell understands`,
      'Write the path in full, or relative to this file.',
    )
  return read({ source, target, readOnly: mode === 'ro' })
}
