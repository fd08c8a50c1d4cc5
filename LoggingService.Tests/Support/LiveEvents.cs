using System.Net.ServerSentEvents;

namespace LoggingService.Tests.Support;

/// <summary>The server-sent events of a page, as a browser gets them.</summary>
internal sealed class LiveEvents : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly IAsyncEnumerator<SseItem<string>> _events;
    private readonly SseParser<string> _parser;

    private LiveEvents(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _parser = SseParser.Create(body);
        _events = _parser.EnumerateAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator();
    }

    /// <summary>The id of the last event that had one.</summary>
    public string LastEventId => _parser.LastEventId;

    public static async Task<LiveEvents> OpenAsync(HttpClient client, string url, string? lastEventId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new(response, await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The next event; <c>null</c> at the end of the stream.</summary>
    public async Task<(string Type, string Data)?> NextAsync() =>
        await _events.MoveNextAsync().AsTask().WaitAsync(ServiceProcess.DefaultLimit)
            ? (_events.Current.EventType, _events.Current.Data)
            : null;

    public async ValueTask DisposeAsync()
    {
        _response.Dispose();
        await _events.DisposeAsync();
    }
}
