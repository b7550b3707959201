# A receiver for Ruby 3 and later with the gem webrick: PORT=3000 POSTERN_SECRET=whsec_… ruby receiver.rb
require "base64"
require "json"
require "openssl"
require "webrick"

KEY = Base64.strict_decode64(ENV.fetch("POSTERN_SECRET").delete_prefix("whsec_"))

def genuine?(request, body)
  id, sent_at = request["webhook-id"], request["webhook-timestamp"]
  return false unless id && sent_at&.match?(/\A\d+\z/) && (Time.now.to_i - sent_at.to_i).abs <= 300

  expected = "v1," + Base64.strict_encode64(OpenSSL::HMAC.digest("SHA256", KEY, "#{id}.#{sent_at}.#{body}"))
  # While a secret is replaced there are several signatures: one that fits is enough.
  request["webhook-signature"].to_s.split(" ").any? { |part| OpenSSL.secure_compare(part, expected) }
end

server = WEBrick::HTTPServer.new(Port: ENV.fetch("PORT", "3000").to_i)
server.mount_proc("/") do |request, response|
  body = request.body.to_s # Verify the bytes as they came, before anything parses them.
  if genuine?(request, body)
    # The same webhook-id again is the same delivery: remember it and skip the second one.
    puts "#{request["webhook-id"]} #{JSON.parse(body)["type"]}"
    response.status = 204
  else
    response.status = 401
  end
end
trap("INT") { server.shutdown }
server.start
