using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Support;

/// <summary>Logs events of a room through the service, on days of the test's choice, for tests of what readers see of it.</summary>
internal sealed class PublicRoom : IDisposable
{
    public const string Alice = "@alice:localhost";
    public const string Bob = "@bob:localhost";

    private readonly ServiceUnderTest _service;
    private int _transaction;

    public PublicRoom(TempFolder folder) =>
        _service = new(Time, folder, settings: new() { ["LoggingService:Redactions"] = "keep" });

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    /// <summary>The room of which events are logged.</summary>
    public string Id { get; set; } = Some.RoomId();

    public string Logs => _service.Logs;

    public ServiceUnderTest Service => _service;

    /// <summary>The address of the newest day.</summary>
    public string Day => $"/r/{Uri.EscapeDataString(Id)}/{Time.GetUtcNow():yyyy/MM/dd}";

    public void Dispose() => _service.Dispose();

    public Task SetVisibilityAsync(string visibility) =>
        StateAsync("m.room.history_visibility", $$"""{"history_visibility":"{{visibility}}"}""");

    public Task<string> StateAsync(string type, string content, string stateKey = "", string sender = Alice) =>
        PushAsync(type, content, sender, $",\"state_key\":\"{stateKey}\"");

    public Task<string> SayAsync(string body, string sender = Alice, string? id = null) =>
        PushAsync("m.room.message", $$"""{"msgtype":"m.text","body":{{JsonSerializer.Serialize(body)}}}""", sender, id: id);

    /// <summary>Logs an event, and returns its id.</summary>
    /// <param name="more">More members, such as <c>,"unsigned":{}</c>.</param>
    public async Task<string> PushAsync(string type, string content, string sender = Alice, string more = "", string? id = null)
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        id ??= Some.EventId();
        var (status, body) = await _service.PushAsync(
            $"{_transaction++}",
            $$"""{"content":{{content}},"event_id":{{JsonSerializer.Serialize(id)}},"""
            + $$""" "origin_server_ts":{{Time.GetUtcNow().ToUnixTimeMilliseconds()}},"room_id":"{{Id}}","""
            + $$""" "sender":"{{sender}}","type":"{{type}}"{{more}}}""");
        Assert.True(status == 200, body);
        return id;
    }
}
