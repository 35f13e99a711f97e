import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { type Entry, sampleHost, type TlsFiles } from '../core/shared/entry.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'

/** The certificate of a server, as people are told about it. */
export type Leaf = { certificate: X509Certificate; validUntil: number }

/** A certificate with its key, read and found to fit together. */
export type Pair = Leaf & {
  context: SecureContext
  /** For a server whose clients name no host; it stays in the memory of this process. */
  pem: { cert: string; key: string }
}

/** A chain is a few KiB; a device or a log under this name must not fill the memory. */
const FILE_BYTES = 1024 * 1024
const DAY_MS = 86_400_000
/** Certificates of 90 days are renewed 30 days before: whoever has fewer left has missed two weeks of tries. */
export const EXPIRY_WARNING_MS = 14 * DAY_MS

/** Reads both files. What does not fit together is a problem with the path and the remedy; content is never quoted. */
export async function readPair({ certificate: path, key: keyPath }: TlsFiles): Promise<Result<Pair>> {
  const [text, keyText] = [await readText(path, 'certificate'), await readText(keyPath, 'key')]
  if (text.kind === 'failed') return text
  if (keyText.kind === 'failed') return keyText
  const leaf = leafIn(text.value)
  if (leaf === null) return failed(noCertificate(path))
  const { certificate } = leaf
  const key = keyIn(keyText.value, keyPath)
  if (key.kind === 'failed') return key
  if (!certificate.checkPrivateKey(key.value)) return failed(mismatch(path, keyPath))
  try {
    const pem = { cert: text.value, key: keyText.value }
    const context = createSecureContext({ ...pem, minVersion: 'TLSv1.2' })
    return ok({ ...leaf, context, pem })
  } catch (error) {
    return failed(refusedByTls(path, error instanceof Error ? error.message : String(error)))
  }
}

/** The first certificate of a PEM text; `null` where there is none. */
export function leafIn(text: string): Leaf | null {
  const certificate = parsed(() => new X509Certificate(text))
  return certificate === null ? null : { certificate, validUntil: Date.parse(certificate.validTo) }
}

/** Why the key in this file cannot be used with a certificate that is known, or `null`. */
export async function keyProblem({ certificate }: Leaf, files: TlsFiles): Promise<Problem | null> {
  const text = await readText(files.key, 'key')
  if (text.kind === 'failed') return text.problem
  const key = keyIn(text.value, files.key)
  if (key.kind === 'failed') return key.problem
  return certificate.checkPrivateKey(key.value) ? null : mismatch(files.certificate, files.key)
}

type Moment = { files: TlsFiles; hosts: Entry['hosts']; now: number }

/** Why this certificate should not be put in front of users: outside of its time, or for other names. */
export function pairProblem(
  { certificate, validUntil }: Leaf,
  { files, hosts, now }: Moment,
): Problem | null {
  const path = files.certificate
  if (validUntil <= now)
    return problem('CERTIFICATE_EXPIRED', {
      message: `The certificate in ${path} has expired at ${dateText(validUntil)}.`,
      remedy: 'Renew it and write the new one to the same files.',
    })
  const validFrom = Date.parse(certificate.validFrom)
  if (validFrom > now)
    return problem('CERTIFICATE_NOT_YET_VALID', {
      message: `The certificate in ${path} is not valid before ${dateText(validFrom)}.`,
      remedy: 'Look at the clock of this machine, or use the certificate that is valid now.',
    })
  const uncovered = (hosts ?? []).filter((host) => !covers(certificate, sampleHost(host)))
  if (uncovered.length === 0) return null
  return problem('CERTIFICATE_WRONG_NAME', {
    message: `The certificate in ${path} is not for ${uncovered.join(', ')}, but for ${namesIn(certificate).join(', ') || 'no name'}.`,
    remedy: 'Get a certificate for all names under "hosts", or correct them.',
  })
}

/** It ends soon, so that people would notice before users do; `null` while there is time. */
export const expiryWarning = ({ validUntil }: Leaf, { files, now }: Omit<Moment, 'hosts'>): Problem | null =>
  validUntil - now > EXPIRY_WARNING_MS
    ? null
    : problem('CERTIFICATE_EXPIRING', {
        message: `The certificate in ${files.certificate} ends at ${dateText(validUntil)}.`,
        remedy:
          'Renew it and write it to the same files: it is taken over within seconds, without a restart.',
      })

export function covers(certificate: X509Certificate, host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) === 0
    ? certificate.checkHost(bare) !== undefined
    : certificate.checkIP(bare) !== undefined
}

/** @example ['shop.example.org', '*.shop.example.org'] */
export function namesIn({ subjectAltName, subject }: X509Certificate): string[] {
  const names = (subjectAltName ?? '').split(', ').flatMap((entry) => {
    const [kind, name = ''] = entry.split(/:(.*)/s)
    return kind === 'DNS' || kind === 'IP Address' ? [name] : []
  })
  const common = /^CN=(.+)$/m.exec(subject)?.[1]
  return names.length > 0 || common === undefined ? names : [common]
}

/** @example '2027-01-31 10:00 UTC' */
export const dateText = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

type What = 'certificate' | 'key'

async function readText(path: string, what: What): Promise<Result<string>> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > FILE_BYTES) return failed(unreadable(path, what, `it has ${size} bytes`))
      return ok(await file.readFile('utf8'))
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return failed(code === 'ENOENT' ? missing(path, what) : unreadable(path, what, code))
  }
}

function keyIn(text: string, path: string): Result<KeyObject> {
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text)) return failed(encrypted(path))
  const key = parsed(() => createPrivateKey(text))
  return key === null ? failed(noKey(path)) : ok(key)
}

function parsed<T>(parse: () => T): T | null {
  try {
    return parse()
  } catch {
    return null
  }
}

const missing = (path: string, what: What): Problem =>
  problem('TLS_FILE_MISSING', {
    message: `There is no ${what} at ${path}.`,
    remedy: `Write it there, or correct tls.${what}. Relative paths start at the folder of the file.`,
  })

const unreadable = (path: string, what: What, cause: string): Problem =>
  problem('TLS_FILE_UNREADABLE', {
    message: `The ${what} at ${path} cannot be read: ${cause}.`,
    remedy: 'Let the user that runs Sluice read this file, and name a file of PEM text.',
  })

const noCertificate = (path: string): Problem =>
  problem('CERTIFICATE_INVALID', {
    message: `${path} holds no certificate in PEM form.`,
    remedy: 'Write the certificate of the server first, then those between it and the root.',
  })

const refusedByTls = (path: string, cause: string): Problem =>
  problem('CERTIFICATE_INVALID', {
    message: `The certificates in ${path} cannot be used: ${cause}.`,
    remedy: 'Write the certificate of the server first, then those between it and the root, each as PEM.',
  })

const noKey = (path: string): Problem =>
  problem('TLS_KEY_INVALID', {
    message: `${path} holds no private key in PEM form.`,
    remedy: 'Write the private key that belongs to the certificate.',
  })

const encrypted = (path: string): Problem =>
  problem('TLS_KEY_ENCRYPTED', {
    message: `The private key in ${path} is encrypted, and nobody is there to say its passphrase.`,
    remedy: `Decrypt it into a file that only the user of Sluice can read: openssl pkey -in ${path} -out NEW.key`,
  })

const mismatch = (path: string, keyPath: string): Problem =>
  problem('TLS_KEY_MISMATCH', {
    message: `The private key in ${keyPath} does not belong to the certificate in ${path}.`,
    remedy: 'Put the two files there that were issued together.',
  })
