using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Malformed requests on real sockets are refused, and the next valid request is logged.</summary>
public class MalformedRequestTests
{
    private const string Body = """{"events":[]}""";
    private const string Path = "/_matrix/app/v1/transactions/wire";
    private const string Token = $"Authorization: Bearer {ServiceUnderTest.HsToken}\r\n";
    private const string Host = "Host: localhost\r\n";
    private const string Chunked = "Transfer-Encoding: chunked\r\n";
    private const string InChunks = $"d\r\n{Body}\r\n0\r\n\r\n";
    private const string Upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    // The request, and the start of the response.
    private static (string Name, string Sent, string Response)[] Requests =>
    [
        ("a length that is too short", Put("Content-Length: 5\r\n", Body), "HTTP/1.1 400"),
        ("a length that is too long", Put("Content-Length: 50\r\n", Body), "HTTP/1.1 408"),
        ("a negative length", Put("Content-Length: -1\r\n", Body), "HTTP/1.1 400"),
        ("a length that is not a number", Put("Content-Length: 0x0d\r\n", Body), "HTTP/1.1 400"),
        ("a length with too many digits", Put($"Content-Length: {new string('9', 30)}\r\n", Body), "HTTP/1.1 400"),
        ("the largest length", Put($"Content-Length: {long.MaxValue}\r\n", Body), "HTTP/1.1 413"),
        ("two lengths", Put("Content-Length: 13\r\nContent-Length: 5\r\n", Body), "HTTP/1.1 400"),
        ("no length", Put("", ""), "HTTP/1.1 400"),
        ("chunks", Put(Chunked, InChunks), "HTTP/1.1 200"),
        ("a chunk whose length is not a number", Put(Chunked, "zz\r\n{}"), "HTTP/1.1 400"),
        ("a chunk whose length overflows", Put(Chunked, "fffffffffffffffff\r\n{}"), "HTTP/1.1 400"),
        ("a negative chunk", Put(Chunked, "-1\r\n{}"), "HTTP/1.1 400"),
        ("a chunk longer than its length", Put(Chunked, "2\r\n{}{}{}\r\n0\r\n\r\n"), "HTTP/1.1 400"),
        ("an unknown transfer coding", Put("Transfer-Encoding: xchunked\r\n", InChunks), "HTTP/1.1 400"),
        ("a blank before the colon of a header", Put("Transfer-Encoding : chunked\r\n", InChunks), "HTTP/1.1 400"),
        ("a folded header", Put("X: a\r\n b\r\nContent-Length: 13\r\n", Body), "HTTP/1.1 400"),
        ("a header without a colon", Put($"Authorization Bearer {ServiceUnderTest.HsToken}\r\n", ""), "HTTP/1.1 400"),
        ("a NUL in a header", Put("X: a\0b\r\nContent-Length: 13\r\n", Body), "HTTP/1.1 400"),
        ("a header of a megabyte", Put($"X: {new string('a', 1_000_000)}\r\n", ""), "HTTP/1.1 431"),
        ("ten thousand headers", Put(string.Concat(Enumerable.Repeat("X: a\r\n", 10_000)), ""), "HTTP/1.1 431"),
        ("a target of a megabyte", $"GET /{new string('a', 1_000_000)} HTTP/1.1\r\n{Host}\r\n", "HTTP/1.1 414"),
        ("no host", $"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
        ("HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0", "\0\0\u0008\u0007"),
        ("an upgrade to HTTP/2", Put(Upgrade + "Content-Length: 13\r\n", Body), "HTTP/1.1 200"),
        ("HTTP/1.0", Put("Content-Length: 13\r\n", Body, "HTTP/1.0"), "HTTP/1.1 200"),
        ("HTTP/1.0 without a length", Put("", "", "HTTP/1.0"), "HTTP/1.1 400"),
        ("HTTP/0.9", "GET /\r\n", "HTTP/1.1 400"),
        ("HTTP/9.1", Put("Content-Length: 13\r\n", Body, "HTTP/9.1"), "HTTP/1.1 505"),
        ("a target with a host", Absolute("http://localhost", "localhost"), "HTTP/1.1 200"),
        ("a target with a host and a port", Absolute("http://localhost:80", "localhost:80"), "HTTP/1.1 200"),
        ("a target with a user", Absolute("http://a:b@localhost", "localhost"), "HTTP/1.1 200"),
        ("a target with another spelling of the address", Absolute("http://0x7f.1", "127.0.0.1"), "HTTP/1.1 200"),
        ("a target with another spelling of an IPv6 address", Absolute("http://[::0001]", "[::1]"), "HTTP/1.1 200"),
        ("a target with a host alone", $"GET http://0x7f.1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 404"),
        ("a tunnel", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", "HTTP/1.1 404"),
        ("OPTIONS for the whole server", $"OPTIONS * HTTP/1.1\r\n{Host}\r\n", "HTTP/1.1 404"),
        ("an unknown method", $"FROB /_matrix/app/v1/ping HTTP/1.1\r\n{Host}{Token}\r\n", "HTTP/1.1 405"),
        ("an invalid method", $"F@B /_matrix/app/v1/ping HTTP/1.1\r\n{Host}{Token}\r\n", "HTTP/1.1 400"),
        ("TLS", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\r\n\r\n", "HTTP/1.1 400"),
    ];

    [Fact]
    public async Task Malformed_requests_are_refused_and_the_next_valid_one_is_logged()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var rounds = Trial.Scale(1, 20);
        for (var round = 0; round < rounds; round++)
        {
            // Concurrently: some requests run into a timeout.
            await Task.WhenAll(Requests.Select(async request =>
            {
                using var connection = await RawConnection.OpenAsync(service.Port);

                // The third attempt of one transaction would be quarantined, and acknowledged.
                await connection.SendAsync(request.Sent.Replace("/transactions/", $"/transactions/{round}-", StringComparison.Ordinal));
                var response = await connection.ReadToAsync("\r\n", Limit);
                Assert.True(response.StartsWith(request.Response, StringComparison.Ordinal), $"{request.Name}: {response}");
            }));
            await service.LogOneMessageAsync();
        }

        Assert.DoesNotContain(service.Process.Output, line => line.Contains("failed unexpectedly") || line.Contains("Exception"));
        var method = $"{Requests.Length} kinds: lengths, chunks, headers, targets, methods, versions";
        await service.AssertUnharmedAsync("malformed requests", method, rounds * Requests.Length, before);
    }

    // Request smuggling: a proxy might use one of them to find the end of the request, and the service the other.
    [Fact]
    public async Task A_request_with_both_a_length_and_chunks_closes_the_connection()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        using var connection = await RawConnection.OpenAsync(service.Port);

        await connection.SendAsync(Put($"Content-Length: 5\r\n{Chunked}", InChunks) + Put("Content-Length: 13\r\n", Body));

        Assert.Equal(1, CountResponses(await connection.ReadToAsync("until the end", Limit)));
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order_and_each_event_is_logged_once()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var connections = Trial.Scale(5, 50);
        const int perConnection = 60;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            using var connection = await RawConnection.OpenAsync(service.Port);
            var events = Enumerable.Range(0, perConnection).Select(_ => Some.EventId()).ToList();
            var expected = new List<string>();
            var sent = "";
            for (var i = 0; i < perConnection; i++)
            {
                // Each transaction twice, with a different request in between.
                var body = $$"""{"events":[{{service.Message(events[i])}}]}""";
                var put = Put($"Content-Length: {body.Length}\r\n", body);
                var (other, status) = (i % 3) switch
                {
                    0 => ($"GET /nothing HTTP/1.1\r\n{Host}\r\n", "404"),
                    1 => ($"POST /_matrix/app/v1/ping HTTP/1.1\r\n{Host}Content-Length: 2\r\n\r\n{{}}", "401"),
                    _ => (Put("Content-Length: 3\r\n", "{]}"), i < 7 ? "400" : "400|200"),
                };
                sent += put + other + put;
                expected.AddRange(["200", status, "200"]);
            }

            await connection.SendAsync(sent + $"GET /last HTTP/1.1\r\n{Host}Connection: close\r\n\r\n");
            var responses = await connection.ReadToAsync("until the end", Limit);
            var statuses = Regex.Matches(responses, @"HTTP/1\.1 (\d+) ").Select(match => match.Groups[1].Value).ToList();
            Assert.Equal(expected.Count + 1, statuses.Count);
            Assert.All(expected.Zip(statuses), pair => Assert.Contains(pair.Second, pair.First.Split('|')));
            lock (service)
                service.Expect(events);
        }));

        const string method = "180 on each connection, each transaction sent twice";
        await service.AssertUnharmedAsync("pipelined requests", method, connections * perConnection * 3, before);
    }

    private static string Put(string headers, string body, string version = "HTTP/1.1") =>
        $"PUT {Path} {version}\r\n{Host}{Token}{headers}\r\n{body}";

    private static string Absolute(string authority, string host) =>
        $"GET {authority}/users/%40logging%3Alocalhost HTTP/1.1\r\nHost: {host}\r\n{Token}\r\n";

    private static int CountResponses(string text) => text.Split("HTTP/1.1 ").Length - 1;
}
