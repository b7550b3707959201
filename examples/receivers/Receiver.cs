// A receiver for ASP.NET Core 8 and later, as Program.cs of `dotnet new web`: POSTERN_SECRET=whsec_… dotnet run
using System.Security.Cryptography;
using System.Text;

var secret = Environment.GetEnvironmentVariable("POSTERN_SECRET") ?? throw new("POSTERN_SECRET is not set");
var key = Convert.FromBase64String(secret.StartsWith("whsec_") ? secret[6..] : secret);
var app = WebApplication.Create(args);

bool IsGenuine(IHeaderDictionary headers, byte[] body)
{
    string id = headers["webhook-id"].ToString(), sentAt = headers["webhook-timestamp"].ToString();
    if (id == "" || !long.TryParse(sentAt, out var seconds)) return false;
    if (Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) > 300) return false;
    byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{sentAt}."), .. body];
    var expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
    // While a secret is replaced there are several signatures: one that fits is enough.
    return headers["webhook-signature"].ToString().Split(' ')
        .Any(part => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(part), expected));
}

app.MapPost("/{**path}", async (HttpRequest request) =>
{
    using var buffer = new MemoryStream();
    await request.Body.CopyToAsync(buffer); // Verify the bytes as they came, before anything parses them.
    if (!IsGenuine(request.Headers, buffer.ToArray())) return Results.Unauthorized();
    // The same webhook-id again is the same delivery: remember it and skip the second one.
    app.Logger.LogInformation("{Id}", request.Headers["webhook-id"].ToString());
    return Results.NoContent();
});

app.Run();
