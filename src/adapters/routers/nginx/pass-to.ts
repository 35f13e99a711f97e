/** An instance is asked for the path as it came: what nginx goes by inside may be another one, and is decoded and put in order. */
export const passTo = (target: string): string => `        proxy_pass http://${target}$request_uri;`
