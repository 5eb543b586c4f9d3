import { createClient, type MatrixEvent, MsgType, RoomEvent } from "matrix-js-sdk";

/** Logs in, makes a room, sends a message and waits for it to come back by /sync. */

// The SDK logs each request.
console.debug = console.info = console.warn = () => {};
const [baseUrl = "", user = "", password = ""] = process.argv.slice(2);
const {
    user_id: userId,
    access_token: accessToken,
    device_id: deviceId,
} = await createClient({ baseUrl }).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
});
const client = createClient({ baseUrl, userId, accessToken, deviceId });

const received = new Promise<string>((resolve) => {
    client.on(RoomEvent.Timeline, (event: MatrixEvent) => {
        if (event.getType() === "m.room.message") resolve(String(event.getContent().body));
    });
});
await client.startClient({ initialSyncLimit: 10 });
const { room_id: room } = await client.createRoom({ name: "A test" });
await client.sendMessage(room, { msgtype: MsgType.Text, body: "Hello from the test" });
console.log(`received: ${await received}`);
client.stopClient();
process.exit();
