/** A certificate as HAProxy shows it to clients. `fingerprint` is SHA-1, in hexadecimal digits. */
export type CertificateInForce = { fingerprint: string; validUntil: number; names: string[] }

/** @example readCertificate('...\nnotAfter: Feb 20 13:12:43 2027 GMT\nSubject Alternative Name: DNS:a.org\nSHA1 FingerPrint: 75...') */
export function readCertificate(text: string): CertificateInForce | null {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? ''
  const [fingerprint, validUntil] = [field('SHA1 FingerPrint'), Date.parse(field('notAfter'))]
  if (fingerprint === '' || Number.isNaN(validUntil)) return null
  const names = [...field('Subject Alternative Name').matchAll(/(?:DNS|IP Address):([^,\s]+)/g)]
  const common = /\/CN=([^/]+)/.exec(field('Subject'))?.[1]
  const all = names.map(([, name = '']) => name)
  return { fingerprint, validUntil, names: all.length > 0 || common === undefined ? all : [common] }
}
