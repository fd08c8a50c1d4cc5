using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Oversized bodies: an unauthenticated one isn't read, and one of the homeserver takes bounded memory.</summary>
public class LargeBodyTests
{
    private const int MiB = 1 << 20;
    private static readonly byte[] Block = Encoding.ASCII.GetBytes(new string(' ', MiB));

    [Fact]
    public async Task An_unauthenticated_body_is_refused_without_being_read()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var size = Trial.Scale(256, 1024);
        (string Target, string? Token, int Status)[] requests =
        [
            ("PUT /_matrix/app/v1/transactions/1", null, 401),
            ("PUT /_matrix/app/v1/transactions/1", "wrong", 403),
            ("PUT /transactions/1", "wrong", 403),
            ("GET /_matrix/app/v1/rooms/%23logged_a%3Alocalhost", null, 401),
            ("GET /_matrix/app/v1/users/%40logging%3Alocalhost", "wrong", 403),
            ("GET /rooms/%23logged_a%3Alocalhost", null, 401),
            ("GET /users/%40logging%3Alocalhost", "wrong", 403),
            ("POST /_matrix/app/v1/ping", "wrong", 403),
            ("GET /_matrix/app/v1/thirdparty/user", null, 401),
            ("GET /_matrix/app/unstable/thirdparty/user", null, 401),
            ("GET /nothing", null, 404),
        ];

        foreach (var (target, token, status) in requests)
        {
            foreach (var isChunked in new[] { false, true })
            {
                var (response, sent) = await SendAsync(service.Port, target, token, size, isChunked);
                Assert.StartsWith($"HTTP/1.1 {status} ", response, StringComparison.Ordinal);

                // The kernel's buffers of both sides take some MiB.
                Assert.InRange(sent, 0, 64);
            }
        }

        Assert.InRange(service.PeakMemory, 0, before.Memory + 100);
        const string method = "on every route, with Content-Length and chunked";
        await service.AssertUnharmedAsync("gigabyte bodies without a token", method, requests.Length * 2, before);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_is_413_and_takes_no_more_memory_than_the_limit_allows(bool isChunked)
    {
        // Buffers of large bodies are collected under memory pressure, not by a deadline.
        const int maxGrowth = 250;
        await using var service = await ServiceUnderAttack.StartAsync(arguments: ["--max-body-bytes", $"{32 * MiB}"]);
        var before = (service.Memory, service.OpenFiles);
        var times = Trial.Scale(2, 20);
        for (var i = 0; i < times; i++)
        {
            const string target = "PUT /_matrix/app/v1/transactions/1";
            var (response, _) = await SendAsync(service.Port, target, ServiceUnderTest.HsToken, Trial.Scale(256, 1024), isChunked);
            Assert.StartsWith("HTTP/1.1 413 ", response, StringComparison.Ordinal);
            Assert.Contains("\"errcode\":\"M_TOO_LARGE\"", response, StringComparison.Ordinal);
        }

        Assert.InRange(service.PeakMemory, 0, before.Memory + maxGrowth);
        var method = isChunked ? "chunked; limit 32 MiB" : "with Content-Length; limit 32 MiB";
        await service.AssertUnharmedAsync("gigabyte bodies with the token", method, times, before, maxGrowth);
    }

    [Fact]
    public async Task Concurrent_large_bodies_get_200_or_503_and_memory_is_bounded()
    {
        const int size = 24;
        const int maxGrowth = 400;
        await using var service = await ServiceUnderAttack.StartAsync(arguments: ["--max-body-bytes", $"{32 * MiB}"]);
        var before = (service.Memory, service.OpenFiles);
        var rounds = Trial.Scale(2, 20);
        var refused = 0;
        for (var round = 0; round < rounds; round++)
        {
            var ids = Enumerable.Range(0, 10).Select(_ => Some.EventId()).ToList();
            var pending = ids;
            for (var attempt = 0; pending.Count > 0; attempt++)
            {
                // Retries until all are accepted, as a homeserver does. Bodies that grow at the same time can all be refused.
                Assert.InRange(attempt, 0, 100);
                var responses = await Task.WhenAll(pending.Select(PushAsync));
                Assert.All(responses, response => Assert.Contains(response.Status, (int[])[200, 503]));
                Assert.All(responses.Where(response => response.Status == 503), response =>
                    Assert.Equal("M_LIMIT_EXCEEDED", JsonElement.Parse(response.Body).GetProperty("errcode").GetString()));
                refused += responses.Count(response => response.Status == 503);
                pending = [.. responses.Where(response => response.Status == 503).Select(response => response.Id)];
                await service.LogOneMessageAsync();
            }

            service.Expect(ids);
        }

        async Task<(string Id, int Status, string Body)> PushAsync(string id)
        {
            var json = $$"""{"events":[{{service.Message(id)}}],"padding":"{{new string('x', size * MiB)}}"}""";
            var (status, body) = await service.PutAsync(id, new StringContent(json, Encoding.UTF8, "application/json"));
            return (id, status, body);
        }

        Assert.True(refused > 0);
        Assert.InRange(service.PeakMemory, 0, before.Memory + maxGrowth);
        const string method = "limit 32 MiB for all together; 503 responses are retried";
        await service.AssertUnharmedAsync("ten concurrent bodies of 24 MiB", method, (rounds * 10) + refused, before, maxGrowth);
    }

    [Fact]
    public async Task A_gzip_bomb_is_not_expanded()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        using var bomb = new MemoryStream();
        await using (var zip = new GZipStream(bomb, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var i = 0; i < Trial.Scale(256, 1024); i++)
                await zip.WriteAsync(Block, TestContext.Current.CancellationToken);
        }

        // It is refused without being read.
        var times = Trial.Scale(2, 20);
        for (var i = 0; i < times; i++)
        {
            foreach (var encoding in new[] { "gzip", "deflate", "br" })
            {
                using var content = new ByteArrayContent(bomb.ToArray());
                content.Headers.ContentEncoding.Add(encoding);
                content.Headers.ContentType = new("application/json");
                Assert.Equal(415, (await service.PutAsync($"bomb{i}", content)).Status);
            }
        }

        Assert.InRange(service.PeakMemory, 0, before.Memory + 400);
        var method = $"{Trial.Scale(256, 1024)} MiB in {bomb.Length / 1024} KiB, as gzip, deflate and br";
        await service.AssertUnharmedAsync("gzip bombs", method, times * 3, before);
        Assert.False(Directory.Exists(service.Folder["logs", ".quarantine"]));
    }

    /// <summary>Sends a body until it is complete or the service disconnects.</summary>
    /// <returns>The response, and how many MiB the kernel accepted.</returns>
    private static async Task<(string Response, int Sent)> SendAsync(int port, string target, string? token, int size, bool isChunked)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(System.Net.IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var head = $"{target} HTTP/1.1\r\nHost: localhost\r\n{(token is null ? "" : $"Authorization: Bearer {token}\r\n")}"
            + (isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : $"Content-Length: {(long)size * MiB}\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), TestContext.Current.CancellationToken);

        var response = new byte[4096];
        var length = 0;
        var reading = Task.Run(async () =>
        {
            int read;
            do
            {
                read = await stream.ReadAsync(response.AsMemory(length));
                length += read;
            }
            while (read > 0 && !Encoding.ASCII.GetString(response, 0, length).Contains('}'));
        });
        var sent = 0;
        try
        {
            while (sent < size)
            {
                if (isChunked)
                    await stream.WriteAsync("100000\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
                await stream.WriteAsync(Block, TestContext.Current.CancellationToken);
                if (isChunked)
                    await stream.WriteAsync("\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
                sent++;
            }
        }
        catch (IOException)
        {
            // The service has disconnected.
        }

        await reading.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return (Encoding.ASCII.GetString(response, 0, length), sent);
    }
}
