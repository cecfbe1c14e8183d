// The baseline of `python -m bench fanout`: rooms of a plain Socket.IO server, as its documentation shows them.
// Prints its port and its process id, and ends with its input. No handler, no credentials: it does less per message than the Events service.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const http = createServer()
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false })

io.on('connection', (socket) => {
  socket.on('subscribe', (room, done) => {
    socket.join(room)
    done()
  })
  socket.on('publish', (room, event, done) => {
    io.to(room).emit('event', event)
    done()
  })
})

http.listen(0, '127.0.0.1', () => console.log(http.address().port, process.pid))
process.stdin.on('end', () => process.exit(0)).resume()
