using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>A homeserver's response to a request of the client-server API.</summary>
internal sealed record MatrixResponse(int Status, JsonElement Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>The Matrix error (<c>M_FORBIDDEN</c>), or <c>null</c>.</summary>
    public string? ErrorCode => Find("errcode");

    /// <summary>The room id of the response to a join or a directory lookup, or <c>null</c>.</summary>
    public string? RoomId => Find("room_id");

    /// <summary>Returns this response if it is a success.</summary>
    /// <exception cref="HttpRequestException">It is an error.</exception>
    public MatrixResponse EnsureSuccess() =>
        IsSuccess ? this : throw new HttpRequestException($"The homeserver responded {Status}: {Body.GetRawText()}");

    /// <summary>Returns a required string.</summary>
    /// <exception cref="HttpRequestException">The response is an error.</exception>
    public string Get(string name) => EnsureSuccess().Body.GetProperty(name).GetString()!;

    private string? Find(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value.GetString() : null;
}
