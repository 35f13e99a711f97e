/** Through which listener a request came. The socket is guarded by its file mode, TCP by host, origin and token. */
export type Door = { kind: 'socket' } | { kind: 'tcp'; port(): number }

/** The two names under which the page may be opened; everything else is DNS rebinding or a mistake. */
export const ownHosts = (port: number): readonly string[] => [`127.0.0.1:${port}`, `localhost:${port}`]

export const ownOrigins = (port: number): readonly string[] => ownHosts(port).map((host) => `http://${host}`)
