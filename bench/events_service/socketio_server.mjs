// The baseline of `python -m bench fanout`: a plain Socket.IO server that emits to all sockets of a channel, as in its documentation.
// Prints its port and process id, and exits when its input ends. Without handlers and credentials it does less per message than the Events service.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const http = createServer()
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false })

io.on('connection', (socket) => {
  socket.on('subscribe', (channel, done) => {
    socket.join(channel)
    done()
  })
  socket.on('publish', (channel, event, done) => {
    io.to(channel).emit('event', event)
    done()
  })
})

http.listen(0, '127.0.0.1', () => console.log(http.address().port, process.pid))
process.stdin.on('end', () => process.exit(0)).resume()
