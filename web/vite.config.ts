import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// No inline code and no data: scripts or styles leave this build: the server's content security policy refuses them.
export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
})
