using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Bodies that are larger than any homeserver's: a stranger's isn't received, the homeserver's costs bounded memory.</summary>
public class LargeBodyTests
{
    private const int MiB = 1 << 20;
    private static readonly byte[] Block = Encoding.ASCII.GetBytes(new string(' ', MiB));

    [Fact]
    public async Task A_strangers_body_is_refused_before_it_is_received()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var announced = Trial.Scale(256, 1024);
        (string Target, string? Token, int Status)[] strangers =
        [
            ("PUT /_matrix/app/v1/transactions/1", null, 401), ("PUT /_matrix/app/v1/transactions/1", "wrong", 403),
            ("PUT /transactions/1", "wrong", 403),
            ("GET /_matrix/app/v1/rooms/%23logged_a%3Alocalhost", null, 401),
            ("GET /_matrix/app/v1/users/%40logging%3Alocalhost", "wrong", 403),
            ("GET /rooms/%23logged_a%3Alocalhost", null, 401), ("GET /users/%40logging%3Alocalhost", "wrong", 403),
            ("POST /_matrix/app/v1/ping", "wrong", 403),
            ("GET /_matrix/app/v1/thirdparty/user", null, 401), ("GET /_matrix/app/unstable/thirdparty/user", null, 401),
            ("GET /nothing", null, 404),
        ];

        foreach (var (target, token, status) in strangers)
        {
            foreach (var chunked in new[] { false, true })
            {
                var (answer, sent) = await SendAsync(service.Port, target, token, announced, chunked);
                Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);

                // What the kernel keeps for both sides is some MiB; the service took no more than it.
                Assert.InRange(sent, 0, 64);
            }
        }

        Assert.InRange(service.PeakMemory, 0, before.Memory + 100);
        await service.AssertUnharmedAsync("bodies of a gigabyte without a token", "on every route, announced and in chunks", strangers.Length * 2,
            before);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_is_413_and_takes_no_more_memory_than_the_limit_allows(bool chunked)
    {
        // Buffers of large bodies are collected when memory is next needed, not by a deadline.
        const int MoreMemory = 250;
        await using var service = await ServiceUnderAttack.StartAsync(arguments: ["--max-body-bytes", $"{32 * MiB}"]);
        var before = (service.Memory, service.OpenFiles);
        var times = Trial.Scale(2, 20);
        for (var i = 0; i < times; i++)
        {
            var (answer, _) = await SendAsync(service.Port, "PUT /_matrix/app/v1/transactions/1", ServiceUnderTest.HsToken,
                Trial.Scale(256, 1024), chunked);
            Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
            Assert.Contains("\"errcode\":\"M_TOO_LARGE\"", answer, StringComparison.Ordinal);
        }

        Assert.InRange(service.PeakMemory, 0, before.Memory + MoreMemory);
        await service.AssertUnharmedAsync("bodies of a gigabyte with the token",
            chunked ? "in chunks; one may have 32 MiB" : "announced; one may have 32 MiB", times, before, MoreMemory);
    }

    [Fact]
    public async Task Many_large_bodies_at_the_same_time_are_200_or_503_and_memory_is_bounded()
    {
        const int Size = 24, MoreMemory = 400;
        await using var service = await ServiceUnderAttack.StartAsync(arguments: ["--max-body-bytes", $"{32 * MiB}"]);
        var before = (service.Memory, service.OpenFiles);
        var rounds = Trial.Scale(2, 20);
        var refused = 0;
        for (var round = 0; round < rounds; round++)
        {
            var ids = Enumerable.Range(0, 10).Select(_ => Some.EventId()).ToList();
            var waiting = ids;
            while (waiting.Count > 0)
            {
                // All of them again until they are taken, as a homeserver does.
                var answers = await Task.WhenAll(waiting.Select(async id => (Id: id, Answer: await service.PutAsync(id, new StringContent(
                    $$"""{"events":[{{service.Message(id)}}],"padding":"{{new string('x', Size * MiB)}}"}""",
                    Encoding.UTF8, "application/json")))));
                Assert.All(answers, a => Assert.Contains(a.Answer.Status, (int[])[200, 503]));
                Assert.All(answers.Where(a => a.Answer.Status == 503), a =>
                    Assert.Equal("M_LIMIT_EXCEEDED", JsonElement.Parse(a.Answer.Body).GetProperty("errcode").GetString()));
                Assert.Contains(answers, a => a.Answer.Status == 200);
                refused += answers.Count(a => a.Answer.Status == 503);
                waiting = [.. answers.Where(a => a.Answer.Status == 503).Select(a => a.Id)];
                await service.LogOneMessageAsync();
            }

            service.Expect(ids);
        }

        Assert.True(refused > 0);
        Assert.InRange(service.PeakMemory, 0, before.Memory + MoreMemory);
        await service.AssertUnharmedAsync("ten bodies of 24 MiB at the same time", "all together may have 32 MiB; what is 503 is sent again",
            rounds * 10 + refused, before, MoreMemory);
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

        // Damage on the way, to the service: refused twice, then kept as it came.
        var times = Trial.Scale(2, 20);
        for (var i = 0; i < times; i++)
        {
            foreach (var (encoding, status) in new[] { ("gzip", 400), ("deflate", 400), ("br", 200) })
            {
                using var content = new ByteArrayContent(bomb.ToArray());
                content.Headers.ContentEncoding.Add(encoding);
                content.Headers.ContentType = new("application/json");
                Assert.Equal(status, (await service.PutAsync($"bomb{i}", content)).Status);
            }
        }

        Assert.InRange(service.PeakMemory, 0, before.Memory + 400);
        var quarantine = Directory.GetFiles(service.Folder["logs", ".quarantine"]).Sum(file => new FileInfo(file).Length);
        Assert.InRange(quarantine, times * bomb.Length, times * ((bomb.Length * 4 / 3) + 1000));
        await service.AssertUnharmedAsync("gzip bombs", $"{Trial.Scale(256, 1024)} MiB in {bomb.Length / 1024} KiB, as gzip, deflate and br",
            times * 3, before);
    }

    /// <summary>Sends a body until it is all sent or nobody takes it any more.</summary>
    /// <returns>The answer, and how many MiB went out, into the kernel at least.</returns>
    private static async Task<(string Answer, int Sent)> SendAsync(int port, string target, string? token, int size, bool chunked)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(System.Net.IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var head = $"{target} HTTP/1.1\r\nHost: localhost\r\n{(token is null ? "" : $"Authorization: Bearer {token}\r\n")}"
            + (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : $"Content-Length: {(long)size * MiB}\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), TestContext.Current.CancellationToken);

        var answer = new byte[4096];
        var length = 0;
        var reading = Task.Run(async () =>
        {
            while (!Encoding.ASCII.GetString(answer, 0, length).Contains('}')
                && await stream.ReadAsync(answer.AsMemory(length)) is > 0 and var read)
                length += read;
        });
        var sent = 0;
        try
        {
            for (; sent < size; sent++)
            {
                if (chunked)
                    await stream.WriteAsync("100000\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
                await stream.WriteAsync(Block, TestContext.Current.CancellationToken);
                if (chunked)
                    await stream.WriteAsync("\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            }
        }
        catch (IOException)
        {
            // It hung up.
        }

        await reading.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return (Encoding.ASCII.GetString(answer, 0, length), sent);
    }
}
