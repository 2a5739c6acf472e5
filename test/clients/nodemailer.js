// Sends one message as nodemailer does: {port, envelope, file} comes on stdin; exit 0 if accepted.
const fs = require("fs");
const nodemailer = require("nodemailer");

const job = JSON.parse(fs.readFileSync(0, "utf8"));
const transport = nodemailer.createTransport({
  host: "127.0.0.1", port: job.port, secure: false, ignoreTLS: true, name: "client.example.net",
});

transport.sendMail({ envelope: job.envelope, raw: fs.createReadStream(job.file) }, (error, info) => {
  console.log(error ? `${error.responseCode} ${error.response || error.message}` : info.response);
  process.exit(error ? 1 : 0);
});
