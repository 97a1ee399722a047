// What echod is compared with: the same in Go, as it is usually written.
//
//	peer tcp|greet|udp PORT
package main

import (
	"log"
	"net"
	"os"
)

func tcp(address string, session func(net.Conn)) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err == nil {
			go session(client)
		}
	}
}

func session(client net.Conn) {
	defer client.Close()
	buffer := make([]byte, 64*1024)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if _, err = client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func greet(client net.Conn) {
	client.Write([]byte("Thank you for connecting\r\n"))
	client.Close()
}

func udp(address string) {
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		log.Fatal(err)
	}
	// Without an allocation for each address.
	server := socket.(*net.UDPConn)
	buffer := make([]byte, 64*1024)
	for {
		n, peer, err := server.ReadFromUDPAddrPort(buffer)
		if err == nil {
			server.WriteToUDPAddrPort(buffer[:n], peer)
		}
	}
}

func main() {
	address := "127.0.0.1:" + os.Args[2]
	switch os.Args[1] {
	case "udp":
		udp(address)
	case "greet":
		tcp(address, greet)
	default:
		tcp(address, session)
	}
}
