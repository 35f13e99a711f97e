const price = (cents) => `€${(cents / 100).toFixed(2)}`

export function productPage(version, products) {
  const rows = products.map(
    ({ id, name, cents }) => `<li><a href="/products/${id}">${name}</a> ${price(cents)}</li>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Shop ${version}</title>
<body style="font: 1.1rem system-ui; max-width: 40rem; margin: 3rem auto; padding: 0 1rem">
<h1>Shop</h1>
<p>You are looking at version <strong>${version}</strong>.</p>
<ul>${rows.join('\n')}</ul>
</body>
</html>
`
}
