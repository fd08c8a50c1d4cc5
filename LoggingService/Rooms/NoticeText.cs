namespace LoggingService.Rooms;

/// <summary>What rooms are told about being logged (<c>Notice</c>).</summary>
internal static class NoticeText
{
    private const string Off = "off";

    public static bool IsOn(LoggingServiceOptions options) => options.Notice != Off;

    /// <summary>The text, with our user in place of <c>{user}</c> and its server in place of <c>{server}</c>.</summary>
    /// <param name="userId">Of our user.</param>
    public static string Create(LoggingServiceOptions options, string userId)
    {
        var server = userId[(userId.IndexOf(':', StringComparison.Ordinal) + 1)..];
        var text = options.Notice switch
        {
            Off => "Messages in this room are logged by {user}.",
            "on" => "Messages in this room are logged by {user}. Ask the administrators of {server} where to read the log.",
            var configured => configured,
        };
        return text.Replace("{user}", userId, StringComparison.Ordinal).Replace("{server}", server, StringComparison.Ordinal);
    }

    /// <summary>The name of a room that we create says that it is logged.</summary>
    public static string NameRoom(string localpart) =>
        localpart.Contains("logged", StringComparison.OrdinalIgnoreCase) ? localpart : $"{localpart} (logged)";
}
