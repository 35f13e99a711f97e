const PRODUCTS = [
  { id: 'mug', name: 'Enamel mug', cents: 1400 },
  { id: 'lamp', name: 'Desk lamp', cents: 5900 },
  { id: 'chair', name: 'Folding chair', cents: 8900 },
]

export async function allProducts() {
  return PRODUCTS
}

export async function findProduct(id) {
  return PRODUCTS.find((product) => product.id === id)
}
