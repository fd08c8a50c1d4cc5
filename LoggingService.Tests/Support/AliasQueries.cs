namespace LoggingService.Tests.Support;

/// <summary>Alias queries of the homeserver, and the calls that create their rooms.</summary>
internal static class AliasQueries
{
    public const string Alias = "#logged_tea:localhost";
    public const string CreateRoom = "POST /_matrix/client/v3/createRoom";
    public const string PutCanonical = "PUT /_matrix/client/v3/rooms/%21tea%3Alocalhost/state/m.room.canonical_alias";
    public const string TeaRoom = """{"room_id":"!tea:localhost"}""";
    public const string LeaveTea = "POST /_matrix/client/v3/rooms/%21tea%3Alocalhost/leave";
    public static readonly string PutAlias = StubHomeserver.AliasLine(Alias, "PUT");

    public static StubHomeserver CreatingRooms() => new StubHomeserver().WithoutAliases()
        .On(CreateRoom, TeaRoom)
        .On("PUT /_matrix/client/v3/directory/room/*", "{}")
        .On(PutCanonical, """{"event_id":"$canonical"}""")
        .On(LeaveTea, "{}");

    public static Task<(int Status, string Body)> QueryAsync(ServiceUnderTest service, string alias) =>
        service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}");

    public static List<StubHomeserver.Request> Creations(ServiceUnderTest service) =>
        [.. service.Homeserver.Calls.Where(call => call.Line == CreateRoom || call.Line.StartsWith("PUT ", StringComparison.Ordinal))];

    public static string Error(string errcode) => $$"""{"errcode":"{{errcode}}","error":"no"}""";
}
