using System.IO.Compression;
using System.Text;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Request bodies: limits of one body and of all bodies in flight, and clients that disconnect.</summary>
public class RequestBodyTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_is_413_and_the_next_one_is_logged(bool chunked)
    {
        using var service = new ServiceUnderTest(settings: new() { ["LoggingService:MaxBodyBytes"] = "1048576" });
        var room = Some.RoomId();

        var tooLarge = Encoding.UTF8.GetBytes($"{{\"events\":[{Some.Message(room, new string('x', 1 << 20))}]}}");
        var (status, body) = await service.PutAsync("1", tooLarge, chunked);

        Assert.Equal((413, "M_TOO_LARGE"), (status, JsonDocument.Parse(body).RootElement.GetProperty("errcode").GetString()));
        var allowed = Encoding.UTF8.GetBytes($"{{\"events\":[{Some.Message(room, new string('x', 1_000_000))}]}}");
        Assert.Equal((200, "{}"), await service.PutAsync("2", allowed, chunked));
        Assert.Single(service.Record(room));
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData(null, true)]
    [InlineData("br", false)]
    public async Task A_compressed_body_is_415_with_the_reason_and_logged_when_it_comes_uncompressed(string? encoding, bool isGzip)
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        var json = Encoding.UTF8.GetBytes($"{{\"events\":[{Some.Message(room)}]}}");
        using var compressed = new MemoryStream();
        using (Stream stream = isGzip
            ? new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true)
            : new BrotliStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await stream.WriteAsync(json, TestContext.Current.CancellationToken);
        }

        // Also for the third time, when another body that is not JSON would go to the quarantine.
        for (var attempt = 1; attempt <= 4; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "/_matrix/app/v1/transactions/1");
            request.Content = new ByteArrayContent(compressed.ToArray());
            if (encoding is not null)
            {
                request.Content.Headers.ContentEncoding.Add(encoding);
            }

            using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(415, (int)response.StatusCode);
            var error = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains("The request body is compressed", error, StringComparison.Ordinal);
        }

        Assert.Contains("the body is compressed", service.WarningsAndErrors[0], StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(service.Logs, ".quarantine")));
        Assert.Equal((200, "{}"), await service.PutAsync("1", json));
        Assert.Single(service.Record(room));
    }

    [Fact]
    public async Task Bodies_in_flight_over_the_limit_are_503_until_the_others_are_done()
    {
        var queried = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var room = Some.RoomId();
        using var service = new ServiceUnderTest(settings: new() { ["LoggingService:MaxBodyBytes"] = "1048576" },
            homeserver: new StubHomeserver().WithoutAliases()
            .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{room}}"]}""")
            .On(StubHomeserver.AliasesLine(room), async _ =>
            {
                queried.TrySetResult();
                await release.Task;
                return new(200, """{"aliases":["#logged_x:localhost"]}""");
            }));
        var first = service.PushAsync("1", Some.Message(room, new string('x', 700_000)));
        await queried.Task.WaitAsync(Bound, TestContext.Current.CancellationToken);

        var refused = await service.PushAsync("2", Some.Message(Some.RoomId(), new string('x', 700_000)));

        Assert.Equal((503, "M_LIMIT_EXCEEDED"),
            (refused.Status, JsonDocument.Parse(refused.Body).RootElement.GetProperty("errcode").GetString()));
        release.SetResult();
        Assert.Equal((200, "{}"), await first);
        Assert.Single(service.Record(room));
        Assert.Equal((200, "{}"), await service.PushAsync("2", Some.Message(Some.RoomId(), new string('x', 700_000))));
    }

    [Fact]
    public async Task A_body_whose_client_disconnects_is_no_longer_in_flight()
    {
        using var service = new ServiceUnderTest(settings: new() { ["LoggingService:MaxBodyBytes"] = "1048576" });
        var body = $"{{\"events\":[{Some.Message(Some.RoomId(), new string('x', 700_000))}]}}";
        for (var i = 0; i < 3; i++)
        {
            // With Expect, the 100 shows that the body is being read.
            using var slow = await RawConnection.OpenAsync(service.Client.BaseAddress!.Port);
            await slow.SendAsync(RawConnection.TransactionHead("1", body.Length)
                .Replace("Host:", "Expect: 100-continue\r\nHost:", StringComparison.Ordinal));
            await slow.ReadToAsync("\r\n\r\n", Bound);
            await slow.SendAsync(body[..^10]);
        }

        var status = 503;
        var end = DateTime.UtcNow + Bound;
        while (status == 503 && DateTime.UtcNow < end)
        {
            status = (await service.SendAsync(HttpMethod.Put, "/_matrix/app/v1/transactions/2", body)).Status;
        }

        Assert.Equal(200, status);
    }

    [Fact]
    public async Task A_client_that_disconnects_after_the_body_cancels_nothing()
    {
        var lookup = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var response = new TaskCompletionSource<StubHomeserver.Response>(TaskCreationOptions.RunContinuationsAsynchronously);
        var room = Some.RoomId();
        using var service = new ServiceUnderTest(homeserver: new StubHomeserver().WithoutAliases()
            .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{room}}"]}""")
            .On("GET /_matrix/client/v3/rooms/*", _ =>
            {
                lookup.TrySetResult();
                return response.Task;
            }));
        var body = $"{{\"events\":[{Some.Message(room)}]}}";
        using (var caller = await RawConnection.OpenAsync(service.Client.BaseAddress!.Port))
        {
            await caller.SendAsync(RawConnection.TransactionHead("1", body.Length) + body);
            await lookup.Task.WaitAsync(Bound, TestContext.Current.CancellationToken);
        }

        // The response is held until another request, sent after the disconnect, has been served.
        Assert.Equal(200, (await service.SendAsync(HttpMethod.Post, "/_matrix/app/v1/ping", "{}")).Status);
        response.SetResult(new(200, """{"aliases":["#logged_x:localhost"]}"""));

        await Wait.UntilAsync(() =>
            Directory.Exists(Path.Combine(service.Logs, room)) && service.Record(room).Count > 0, "the event is logged");
        Assert.Empty(service.WarningsAndErrors);
    }
}
